import { writeFileSync } from 'node:fs';
import { Refusal } from '../src/refusal';
import { MIRROR, PretendedNode } from './support/pretended-node';
import { refusalOf } from './support/refusal-of';

let node: PretendedNode;
beforeEach(() => {
  node = new PretendedNode();
});
afterEach(() => {
  node.remove();
});

describe('apply changes nothing', () => {
  test.each(['{"debug": true,}', '{"registry-mirrors": "http://a"}', '[]', '{"debug": true} // why'])(
    'for %s',
    async (content) => {
      await node.give(content);
      expect(await refusalOf(node.mirror().apply())).toMatch(
        /^\/etc\/docker\/daemon.json, line 1, column \d+: .*nothing was changed$/,
      );
      expect(node.text).toBe(content);
      expect(node.names).toEqual(['daemon.json']);
      expect(node.dockerd.reloads).toBe(0);
    },
  );

  test('when no dockerd runs', async () => {
    await node.give('{}');
    node.dockerRuns = false;
    for (const mode of ['apply', 'plan', 'check'] as const) {
      expect(await refusalOf(node.mirror()[mode]())).toBe(
        'no dockerd runs here: there is neither its pid file /var/run/docker.pid nor anybody on /var/run/docker.sock; nothing was changed',
      );
    }
    expect(node.names).toEqual(['daemon.json']);
  });

  test('when the command line of dockerd names mirrors', async () => {
    await node.give('{}');
    node.dockerd.flags = { '--registry-mirror': ['http://a.example'] };
    expect(await refusalOf(node.mirror().apply())).toMatch(
      /started with --registry-mirror http:\/\/a.example and would not start/,
    );
    expect(node.text).toBe('{}');
  });

  test('when dockerd reads another file', async () => {
    await node.give('{}');
    node.dockerd.readsTheFile = false;
    expect(await refusalOf(node.mirror().apply())).toBe(
      'dockerd (process 7) does not read /etc/docker/daemon.json: name the file of its --config-file with --docker-config; nothing was changed',
    );
  });

  test('when the mirror does not answer', async () => {
    await node.give('{}');
    const waitForMirror = (): Promise<void> => Promise.reject(new Refusal('not up'));
    expect(await refusalOf(node.mirror(MIRROR, { waitForMirror }).apply())).toBe('not up');
    expect(node.names).toEqual(['daemon.json']);
  });

  test('when dockerd would not start with the file', async () => {
    await node.give('{}');
    node.dockerd.onCall = (call) => {
      if (call === 'inspect') throw new Refusal('dockerd would not start');
    };
    expect(await refusalOf(node.mirror().apply())).toBe('dockerd would not start');
    expect(node.text).toBe('{}');
    expect(node.names).toEqual(['daemon.json']);
    expect(node.dockerd.reloads).toBe(0);
  });

  test('over a backup whose record is gone', async () => {
    await node.give('{}');
    writeFileSync(`${node.file}.dragonfly-backup`, '{"first": 1}');
    expect(await refusalOf(node.mirror().apply())).toMatch(/is a backup without its record/);
    expect(node.names).toEqual(['daemon.json', 'daemon.json.dragonfly-backup']);
  });

  test('with a record that it cannot read', async () => {
    await node.give('{}');
    writeFileSync(`${node.file}.dragonfly-state`, '{"version": 2}');
    expect(await refusalOf(node.mirror().apply())).toMatch(/is not a record that this version of node-mirror can read/);
  });
});

describe('dockerd that does not take the file', () => {
  test.each([['{"debug": true}'], [undefined], ['{"registry-mirrors": ["http://a.example"]}']])(
    '%s: all is put back',
    async (content) => {
      const names = (await node.give(content)).names;
      node.dockerd.deaf = true;
      expect(await refusalOf(node.mirror().apply())).toMatch(
        /^dockerd 20.10.24 \(process 7\) did not take \/etc\/docker\/daemon.json within 0.1 s: it shows \[.*\], not \["http:\/\/127.0.0.1:65001".*; \/etc\/docker\/daemon.json was put back as it was$/,
      );
      expect(node.text).toBe(content);
      expect(node.names).toEqual(names);
      expect(node.dockerd.reloads).toBe(2);
    },
  );

  test('in time, but just after: it is told to forget the mirror again', async () => {
    await node.give('{"debug": true}');
    const { dockerd } = node;
    node.reloadTimeoutMs = 0;
    dockerd.deaf = true;
    dockerd.onCall = (call) => {
      if (call !== 'info' || dockerd.reloads === 0 || !dockerd.deaf) return;
      // Asked for the first time after the reload it shows the old mirrors, and then the new ones.
      dockerd.onCall = () => {
        dockerd.onCall = () => undefined;
        dockerd.inForce = [`${MIRROR}/`];
        dockerd.deaf = false;
      };
    };
    expect(await refusalOf(node.mirror().apply())).toMatch(/did not take .* was put back as it was$/);
    expect(dockerd.inForce).toEqual([]);
    expect(node.text).toBe('{"debug": true}');
    expect(node.names).toEqual(['daemon.json']);
  });

  test('as it cannot be told: all is put back', async () => {
    await node.give('{"debug": true}');
    node.dockerd.onCall = (call) => {
      if (call === 'reload') throw new Refusal('SIGHUP is not permitted');
    };
    expect(await refusalOf(node.mirror().apply())).toBe(
      'SIGHUP is not permitted; /etc/docker/daemon.json was put back as it was',
    );
    expect(node.text).toBe('{"debug": true}');
    expect(node.names).toEqual(['daemon.json']);
  });

  test('at restore: the patched file and its record stay for another try', async () => {
    await node.give('{"debug": true}');
    await node.mirror().apply();
    const patched = node.text;
    node.dockerd.deaf = true;
    expect(await refusalOf(node.mirror().restore())).toMatch(/did not take/);
    expect(node.text).toBe(patched);
    node.dockerd.deaf = false;
    await node.mirror().restore();
    expect(node.text).toBe('{"debug": true}');
    expect(node.dockerd.inForce).toEqual([]);
  });
});
