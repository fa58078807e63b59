import { PretendedNode } from './support/pretended-node';

/** Ends a run in its middle, as a kill would: nothing is put back. */
class Killed extends Error {}

const CONTENTS = [undefined, '', '\uFEFF{"registry-mirrors": ["http://a.example"]}', '{\n  "debug": true\n}\n'];
/** More than any run asks of dockerd. */
const MOMENTS = 14;

async function killedAt(node: PretendedNode, moment: number, mode: 'apply' | 'restore'): Promise<boolean> {
  let calls = 0;
  node.dockerd.onCall = () => {
    calls += 1;
    if (calls > moment) throw new Killed();
  };
  const run = mode === 'apply' ? node.mirror().apply() : node.mirror().restore();
  const ending = await run.then(
    () => false,
    (error: unknown) => error instanceof Killed,
  );
  node.dockerd.onCall = () => undefined;
  return ending;
}

describe.each(CONTENTS)('%j', (content) => {
  let node: PretendedNode;
  let names: string[] | undefined;
  beforeEach(async () => {
    node = new PretendedNode();
    names = (await node.give(content)).names;
  });
  afterEach(() => {
    node.remove();
  });

  const expectRestored = async (): Promise<void> => {
    await node.mirror().restore();
    expect(node.text).toBe(content);
    expect(node.names).toEqual(names);
    expect(node.dockerd.inForce).not.toContain('http://127.0.0.1:65001/');
  };

  test('an apply that was killed at any moment can be run again, or restored', async () => {
    let killed = true;
    let moment = 0;
    for (; killed && moment < MOMENTS; moment += 1) {
      killed = await killedAt(node, moment, 'apply');
      await expectRestored();
      await killedAt(node, moment, 'apply');
      await node.mirror().apply();
      await node.mirror().check();
      await expectRestored();
    }
    expect(moment).toBeGreaterThan(2);
    expect(killed).toBe(false);
  });

  test('a restore that was killed at any moment can be run again, or applied over', async () => {
    let killed = true;
    let moment = 0;
    for (; killed && moment < MOMENTS; moment += 1) {
      await node.mirror().apply();
      killed = await killedAt(node, moment, 'restore');
      await expectRestored();
      await node.mirror().apply();
      await killedAt(node, moment, 'restore');
      await node.mirror().apply();
      await node.mirror().check();
      await expectRestored();
    }
    expect(moment).toBeGreaterThan(2);
    expect(killed).toBe(false);
  });
});
