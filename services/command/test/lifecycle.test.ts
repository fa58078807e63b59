import { Lifecycle, StopError } from '../src';

function recorder(): { readonly stopped: string[]; readonly part: (name: string) => { stop: () => Promise<void> } } {
  const stopped: string[] = [];
  return { stopped, part: (name) => ({ stop: () => Promise.resolve(void stopped.push(name)) }) };
}

describe('a lifecycle', () => {
  test('stops its parts one by one, last started first', async () => {
    const lifecycle = new Lifecycle();
    const events: string[] = [];
    for (const name of ['store', 'engine', 'mirror']) {
      lifecycle.add(name, {
        stop: async () => {
          events.push(`${name} stops`);
          await Promise.resolve();
          events.push(`${name} has stopped`);
        },
      });
    }
    expect(lifecycle.parts).toEqual(['store', 'engine', 'mirror']);
    await lifecycle.stop();
    expect(events).toEqual(['mirror', 'engine', 'store'].flatMap((name) => [`${name} stops`, `${name} has stopped`]));
    expect(lifecycle.parts).toEqual([]);
  });

  test('gives back the part that it takes', () => {
    const part = { stop: () => Promise.resolve(), port: 1 };
    expect(new Lifecycle().add('it', part).port).toBe(1);
  });

  test('stops each part though others fail, and collects the errors', async () => {
    const lifecycle = new Lifecycle();
    const { stopped, part } = recorder();
    const cause = new Error('disk full');
    lifecycle.add('the store', part('store'));
    lifecycle.add('the engine', { stop: () => Promise.reject(cause) });
    lifecycle.add('the mirror', {
      stop: () => {
        throw new TypeError('not open');
      },
    });
    const error = await lifecycle.stop().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StopError);
    expect(error).toMatchObject({
      message: 'the mirror did not stop cleanly: not open; the engine did not stop cleanly: disk full',
      errors: [{ message: 'the mirror did not stop cleanly: not open' }, { cause }],
    });
    expect(stopped).toEqual(['store']);
  });

  test('stops each part once, though stop is called again', async () => {
    const lifecycle = new Lifecycle();
    const { stopped, part } = recorder();
    lifecycle.add('a', part('a'));
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();
    expect(stopped).toEqual(['a']);
  });

  test('stops a part that is added while it stops, and one added later at the next stop', async () => {
    const lifecycle = new Lifecycle();
    const { stopped, part } = recorder();
    lifecycle.add('a', part('a'));
    lifecycle.add('b', {
      stop: () => {
        lifecycle.add('late', part('late'));
        return Promise.resolve(void stopped.push('b'));
      },
    });
    await lifecycle.stop();
    lifecycle.add('later', part('later'));
    await lifecycle.stop();
    expect(stopped).toEqual(['b', 'late', 'a', 'later']);
  });
});
