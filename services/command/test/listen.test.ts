import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { CommandError, listen, listenError } from '../src';

const servers: Server[] = [];

function server(): Server {
  const made = createServer();
  servers.push(made);
  return made;
}

afterEach(async () => {
  const open = servers.splice(0).filter(({ listening }) => listening);
  await Promise.all(open.map((one) => once(one.close(), 'close')));
});

describe('listen', () => {
  test('gives the address with the port that was bound', async () => {
    const one = server();
    const bound = await listen(one, { host: '127.0.0.1', port: 0 }, 'the mirror');
    expect(bound).toEqual({ host: '127.0.0.1', port: expect.any(Number) as number });
    expect(one.address()).toMatchObject({ port: bound.port });
    expect(bound.port).toBeGreaterThan(0);
  });

  test('leaves no listener behind that would hide later errors', async () => {
    const one = server();
    await listen(one, { host: '127.0.0.1', port: 0 }, 'the mirror');
    expect([one.listenerCount('error'), one.listenerCount('listening')]).toEqual([0, 0]);
  });

  test('says that the port is in use, and which flag changes it', async () => {
    const { port } = await listen(server(), { host: '127.0.0.1', port: 0 }, 'the first');
    const second = listen(server(), { host: '127.0.0.1', port, portFlag: '--peer-port' }, 'the peer server');
    const error = await second.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toHaveProperty(
      'message',
      `the peer server cannot listen on 127.0.0.1:${port}: the port is in use; stop what uses it or choose another with --peer-port`,
    );
  });

  test('says that the address is not of this machine', async () => {
    const options = { host: '192.0.2.1', port: 65001, hostFlag: '--hostIp' };
    const error = await listen(server(), options, 'the mirror').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toHaveProperty(
      'message',
      'the mirror cannot listen on 192.0.2.1:65001: this machine has no such address; choose one that it has with --hostIp',
    );
  });

  test('says that the port is not permitted', () => {
    const error = Object.assign(new Error('listen EACCES'), { code: 'EACCES' });
    expect(listenError(error, { host: '::', port: 80 }, 'the mirror')).toEqual(
      new CommandError(
        'the mirror cannot listen on [::]:80: permission denied; choose a port above 1023 with --port, or run as root',
      ),
    );
  });

  test('leaves other errors as they are', () => {
    const error = Object.assign(new Error('listen EMFILE'), { code: 'EMFILE' });
    expect(listenError(error, { host: '::', port: 80 }, 'the mirror')).toBe(error);
  });
});
