import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Crio } from '../src/containers/crio';
import { findCrio } from '../src/containers/crio';
import { HostTree } from './support/host-tree';
import { crioOn, DROP_INS, podmanOn } from './support/other-runtimes';

const DROP_IN = `${DROP_INS}/99-dragonfly-docker.io.conf`;

let node: HostTree;
beforeEach(() => {
  node = new HostTree();
});
afterEach(() => {
  node.remove();
});

describe('podman', () => {
  beforeEach(() => {
    node.write('/usr/bin/podman', '');
    node.write('/etc/containers/registries.conf', '');
  });

  test('a drop-in a registry', async () => {
    await podmanOn(node, { registries: ['docker.io', 'quay.io'], mirror: 'https://127.0.0.1:65001' }).apply();
    expect(node.read(`${DROP_INS}/99-dragonfly-quay.io.conf`)).toBe(
      [
        '# Written by node-mirror, which removes it with `node-mirror restore`: the df-daemon of this node is asked first.',
        '[[registry]]',
        'prefix = "quay.io"',
        'location = "quay.io"',
        '',
        '[[registry.mirror]]',
        'location = "127.0.0.1:65001/quay.io"',
        '',
      ].join('\n'),
    );
  });

  test('a node without /etc/containers gets it for as long as the mirror is there', async () => {
    node.clear();
    node.write('/usr/bin/podman', '');
    const before = node.all;
    const modes = podmanOn(node);
    await modes.apply();
    await modes.check();
    expect(node.read(DROP_IN)).toContain('location = "127.0.0.1:65001/docker.io"');
    await modes.restore();
    expect(node.all).toEqual(before);
  });

  test.each([
    ['does not run on this node', { ok: false, said: 'cannot execute binary file', ran: true }],
    ['is not podman: it says docker 1', { ok: true, said: 'docker 1', ran: true }],
  ])('a program of that name that %s is none', async (what, podman) => {
    await expect(podmanOn(node, { podman }).apply()).rejects.toThrow(what);
    await expect(podmanOn(node, { podman }).plan()).rejects.toThrow(what);
    expect(node.all[DROP_IN]).toBeUndefined();
  });

  test('one that cannot be asked from here gets its drop-in all the same', async () => {
    await podmanOn(node, { podman: { ok: false, said: 'spawn nsenter ENOENT', ran: false } }).apply();
    expect(node.read(DROP_IN)).toContain('65001');
  });

  test.each([
    ['r.example:5000', '', 'r.example:5000'],
    ['R.example', '', 'R.example'],
    ['docker.io', 'location = "harbor.corp:8443/hub"', 'harbor.corp:8443/hub, where .*/registries.conf has docker.io,'],
    ['docker.io', 'location = "Harbor.corp"', 'Harbor.corp, where .*/registries.conf has docker.io,'],
  ])('a place with a port or capitals cannot be in the path of a mirror: %s, %s', async (host, location, whose) => {
    const entry = location === '' ? '' : `[[registry]]\nprefix = "${host}"\n${location}\n`;
    node.write('/etc/containers/registries.conf', entry);
    const before = node.all;
    const modes = podmanOn(node, { registries: [host] });
    const said = new RegExp(`^${whose} cannot be in the path of a mirror .*: leave ${host} out for this runtime`);
    await expect(modes.apply()).rejects.toThrow(said);
    await expect(modes.check()).rejects.toThrow(said);
    expect(node.all).toEqual(before);
    await podmanOn(node, { registries: ['quay.io'] }).apply();
  });

  test('not even in a file of the administrator, which podman reads and fails by', async () => {
    const [location, mirror] = ['harbor.corp:8443/hub', '127.0.0.1:65001/harbor.corp:8443/hub'];
    const registry = `[[registry]]\nprefix = "docker.io"\nlocation = "${location}"\n`;
    const first = `[[registry.mirror]]\nlocation = "${mirror}"\ninsecure = true\n`;
    node.write('/etc/containers/registries.conf', registry + first);
    await expect(podmanOn(node).check()).rejects.toThrow(`cannot be in the path of a mirror (${mirror})`);
  });

  test.each(['harbor.corp/docker-hub', 'a.b/c__d/e--f'])('%s is asked at the mirror by its path', async (location) => {
    node.write('/etc/containers/registries.conf', `[[registry]]\nprefix = "docker.io"\nlocation = "${location}"\n`);
    await podmanOn(node).apply();
    expect(node.read(DROP_IN)).toContain(`[[registry.mirror]]\nlocation = "127.0.0.1:65001/${location}"\n`);
  });

  test.each(['location = "docker.io/"', 'prefix = "docker.io/"\nlocation = "docker.io//"'])(
    'slashes at the end are not part of a place: %j',
    async (place) => {
      node.write('/etc/containers/registries.conf', `[[registry]]\n${place}\nblocked = true\n`);
      await podmanOn(node).apply();
      expect(node.read(DROP_IN)).toContain('prefix = "docker.io"\nlocation = "docker.io"\nblocked = true\n');
    },
  );

  test('one that knows not all that was applied asks for what it knows only', async () => {
    await podmanOn(node, { registries: ['docker.io', 'quay.io'] }).apply();
    await expect(podmanOn(node).check()).rejects.toThrow(/99-dragonfly-quay.io.conf does not have http/);
    await podmanOn(node).check({ former: 'stays' });
    const more = podmanOn(node, { registries: ['ghcr.io'] });
    await expect(more.check({ former: 'stays' })).rejects.toThrow(/99-dragonfly-ghcr.io.conf does not have http/);
  });

  test('a mirror that the administrator adds later is taken over by the next apply', async () => {
    await podmanOn(node).apply();
    node.write(
      '/etc/containers/registries.conf',
      '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "m.example"\n',
    );
    await expect(podmanOn(node).check()).rejects.toThrow(
      /does not have http:\/\/127.0.0.1:65001 as apply would leave it/,
    );
    await podmanOn(node).apply();
    expect(node.read(DROP_IN)).toContain('[[registry.mirror]]\nlocation = "m.example"\n');
    await podmanOn(node).restore();
    expect(node.all[DROP_IN]).toBeUndefined();
  });

  test('a drop-in of ours that others have edited loses our mirror only', async () => {
    await podmanOn(node).apply();
    node.write(DROP_IN, `${node.read(DROP_IN)}[[registry.mirror]]\nlocation = "m.example"\n`);
    await expect(podmanOn(node).apply()).rejects.toThrow(/was edited by others since node-mirror wrote it/);
    await podmanOn(node).restore();
    expect(node.read(DROP_IN)).toContain('location = "docker.io"\n\n[[registry.mirror]]\nlocation = "m.example"\n');
    expect(node.read(DROP_IN)).not.toContain('65001');
  });

  test('a file that the administrator has pointed at the mirror is enough', async () => {
    const entry = '[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n';
    const first = '[[registry.mirror]]\nlocation = "127.0.0.1:65001/docker.io"\n';
    const own = `${DROP_INS}/50-own.conf`;
    node.write(own, `${entry}${first}insecure = true\n`);
    const before = node.all;
    await podmanOn(node).check();
    await podmanOn(node).apply();
    expect(node.all).toEqual(before);
    const others = '[[registry.mirror]]\nlocation = "m.example"\n';
    for (const text of [
      `${entry}${first}`,
      `${entry}blocked = true\n${first}insecure = true\n`,
      `${entry}mirror-by-digest-only = true\n${first}insecure = true\n`,
      `${entry}${first}insecure = true\npull-from-mirror = "tag-only"\n`,
      `${entry}${others}${first}insecure = true\n`,
    ]) {
      node.write(own, text);
      await expect(podmanOn(node).check()).rejects.toThrow(/does not have http:\/\/127.0.0.1:65001 as apply/);
    }
  });

  test('a part of a registry with an entry of its own is told of', async () => {
    node.write('/etc/containers/registries.conf', '[[registry]]\nlocation = "docker.io/library"\n');
    const said: string[] = [];
    await podmanOn(node, { say: (line) => said.push(line) }).apply();
    expect(said).toContain(
      'podman: docker.io/library has an entry of its own in /etc/containers/registries.conf and does not come through the mirror',
    );
  });
});

describe('CRI-O', () => {
  const crio = { pid: 7, identity: '7 1', startedAt: 0, reloads: 0, alive: true };
  const engine: Crio = {
    get pid() {
      return crio.pid;
    },
    get identity() {
      return crio.identity;
    },
    get startedAt() {
      return crio.startedAt;
    },
    reload: async () => {
      crio.reloads += 1;
      await Promise.resolve();
    },
    runs: async () => await Promise.resolve(crio.alive),
  };
  beforeEach(() => {
    Object.assign(crio, { pid: 7, identity: '7 1', startedAt: 0, reloads: 0, alive: true });
    node.write('/etc/containers/registries.conf', '');
  });

  test('is told once, and again when another one runs that started before the file', async () => {
    await crioOn(node, engine).apply();
    await crioOn(node, engine).apply();
    await crioOn(node, engine).check();
    expect(crio.reloads).toBe(1);

    // Another process, which has read the file when it started.
    Object.assign(crio, { identity: '8 2', startedAt: Date.now() + 60_000 });
    await crioOn(node, engine).apply();
    await crioOn(node, engine).check();
    expect(crio.reloads).toBe(1);

    const soon = new Date(crio.startedAt + 1000);
    utimesSync(join(node.root, DROP_IN), soon, soon);
    await expect(crioOn(node, engine).check()).rejects.toThrow(
      /is as it should be, but CRI-O \(process 7\) has not taken it/,
    );
    await crioOn(node, engine).apply();
    expect(crio.reloads).toBe(2);

    await crioOn(node, engine).restore();
    expect(crio.reloads).toBe(3);
    expect(node.all[DROP_IN]).toBeUndefined();
  });

  test('that ends instead of taking the file: it is put back', async () => {
    crio.alive = false;
    const before = node.all;
    await expect(crioOn(node, engine).apply()).rejects.toThrow(
      /did not take .*as it has ended.*was put back as it was/,
    );
    expect(node.all).toEqual(before);
  });

  test('what podman wrote it is told of', async () => {
    node.write('/usr/bin/podman', '');
    await podmanOn(node).apply();
    await crioOn(node, engine).apply();
    await podmanOn(node).apply();
    expect(crio.reloads).toBe(1);
    await crioOn(node, engine).check();
  });

  test('is found by its process, and told by a signal', async () => {
    const script = "process.on('SIGHUP', () => console.log('hup')); console.log('up'); setInterval(() => {}, 1000);";
    const child: ChildProcess = spawn(process.execPath, ['-e', script], {
      argv0: 'crio',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout ?? process.stdin, 'data');
      const found = await findCrio(join(node.root, 'crio.sock'));
      expect(found).toMatchObject({ pid: child.pid, version: '' });
      expect(Math.abs((found?.startedAt ?? 0) - Date.now())).toBeLessThan(60_000);
      const told = once(child.stdout ?? process.stdin, 'data');
      await found?.reload();
      expect(String((await told)[0])).toBe('hup\n');
      expect(await found?.runs()).toBe(true);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});
