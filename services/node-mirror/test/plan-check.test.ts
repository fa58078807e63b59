import { MIRROR, PretendedNode } from './support/pretended-node';
import { refusalOf } from './support/refusal-of';

let node: PretendedNode;
beforeEach(() => {
  node = new PretendedNode();
});
afterEach(() => {
  node.remove();
});

describe('plan', () => {
  test('shows the difference and the reload, and changes nothing', async () => {
    await node.give('{\n  "debug": true\n}\n');
    await node.mirror().plan();
    expect(node.said).toEqual([
      [
        '--- /etc/docker/daemon.json',
        '+++ /etc/docker/daemon.json',
        '@@ -1,3 +1,4 @@',
        ' {',
        '-  "debug": true',
        '+  "debug": true,',
        `+  "registry-mirrors": ["${MIRROR}"]`,
        ' }',
      ].join('\n'),
      `then SIGHUP to process 7; it must show ["${MIRROR}"]`,
    ]);
    expect(node.names).toEqual(['daemon.json']);
    expect(node.dockerd.reloads).toBe(0);
  });

  test('makes no folder', async () => {
    await node.give(undefined);
    await node.mirror().plan();
    expect(node.said[0]).toMatch(/^--- \/dev\/null\n\+\+\+ \/etc\/docker\/daemon.json\n@@ -0,0 \+1,3 @@\n\+{/);
    expect(node.names).toBeUndefined();
  });

  test('says when there is nothing to do', async () => {
    await node.give('{}');
    await node.mirror().apply();
    node.said.length = 0;
    await node.mirror().plan();
    expect(node.said).toEqual([
      `/etc/docker/daemon.json: nothing to change; ${MIRROR} the first of registry-mirrors, as before`,
    ]);
  });
});

describe('check', () => {
  test('tells a file that is not as apply would leave it', async () => {
    await node.give('{}');
    expect(await refusalOf(node.mirror().check())).toBe(
      `/etc/docker/daemon.json does not have ${MIRROR} as apply would leave it: run node-mirror plan to see the difference`,
    );
  });

  test('tells a dockerd that has not taken it, and apply then only reloads', async () => {
    await node.give(`{\n  "registry-mirrors": ["${MIRROR}"]\n}\n`);
    node.dockerd.inForce = [];
    expect(await refusalOf(node.mirror().check())).toBe(
      '/etc/docker/daemon.json is as it should be, but dockerd 20.10.24 (process 7) has not taken it: it shows []; run node-mirror apply',
    );
    await node.mirror().apply();
    expect(node.dockerd.reloads).toBe(1);
    expect(node.names).toEqual(['daemon.json']);
    await node.mirror().check();
    expect(node.said.at(-1)).toBe(
      `/etc/docker/daemon.json: ${MIRROR} the first of registry-mirrors, as before; dockerd 20.10.24 (process 7) has taken it`,
    );
  });
});
