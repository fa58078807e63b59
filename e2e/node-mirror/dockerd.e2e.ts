import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DAEMON_JSON } from '../../services/node-mirror/test/corpus/daemon-json';
import { Dockerd } from '../world/dockerd';
import type { Host } from '../world/host';
import { run } from '../world/run';
import { World } from '../world/world';
import { NODE_MIRROR, nodeMirrorHere, type Outcome } from './command';

type Mode = Parameters<typeof nodeMirrorHere>[0];

const TEST_LIMIT_MS = 60_000;

/** Contents that dockerd 20.10 starts with; `undefined` comes by a removal while it runs. */
const CONTENTS: readonly (readonly [string, string, readonly string[]])[] = [
  ['an empty object', '{}', []],
  ['one line without final newline', '{"debug":true,"labels":["a=1"]}', []],
  ['tabs, Windows lines, odd blanks', '{\r\n\t"max-concurrent-downloads":  3 ,\r\n\t"debug" : false\r\n}\r\n\r\n', []],
  ['an empty list', '{\n  "registry-mirrors": [ ]\n}\n', []],
  [
    'foreign mirrors',
    '{"registry-mirrors": [\n  "http://a.example",\n  "https://b.example:5000/"\n]}',
    ['http://a.example/', 'https://b.example:5000/'],
  ],
];

describe('node-mirror and a real dockerd', () => {
  let world: World;
  let node: Host;
  let dockerd: Dockerd;
  let mirror: Server;
  let url: string;
  let pid: number;

  const flags = (): readonly string[] => [
    ...['--wait', '0s', '--reload-timeout', '3s', '--readyz', 'none', '--runtime', 'docker'],
    ...['--docker-config', dockerd.configFile, '--docker-socket', dockerd.socket],
    ...['--docker-pid-file', dockerd.pidFile],
  ];

  const nodeMirror = async (mode: Mode, ...more: readonly string[]): Promise<Outcome> =>
    await nodeMirrorHere(mode, [...flags(), ...(more.includes('--mirror') ? [] : ['--mirror', url]), ...more]);

  const expectDone = async (mode: Mode): Promise<Outcome> => {
    const outcome = await nodeMirror(mode);
    expect({ mode, ...outcome }).toMatchObject({ mode, code: 0 });
    return outcome;
  };

  const traces = (): string[] => readdirSync(dirname(dockerd.configFile)).filter((name) => name.includes('dragonfly-'));

  /** Lets dockerd forget all mirrors and then gives it a file, as an operator would. */
  const give = async (content: string, inForce: readonly string[]): Promise<void> => {
    writeFileSync(dockerd.configFile, '{"registry-mirrors": []}');
    process.kill(pid, 'SIGHUP');
    await shows([]);
    writeFileSync(dockerd.configFile, content);
    process.kill(pid, 'SIGHUP');
    await shows(inForce);
  };

  const shows = async (mirrors: readonly string[]): Promise<void> => {
    const deadline = Date.now() + 5_000;
    while (JSON.stringify(await dockerd.mirrors()) !== JSON.stringify(mirrors)) {
      if (Date.now() > deadline) expect(await dockerd.mirrors()).toEqual(mirrors);
      await pause(20);
    }
  };

  beforeAll(async () => {
    world = await World.create();
    await world.explain(async () => {
      node = await world.host('node');
      dockerd = await Dockerd.start(node, '{}');
      pid = dockerd.pid;
      mirror = createServer((_, response) => response.writeHead(401).end()).listen(0, '127.0.0.1');
      await once(mirror, 'listening');
      url = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
    });
  }, TEST_LIMIT_MS);

  afterAll(async () => {
    mirror.close();
    await world.stop();
  }, TEST_LIMIT_MS);

  const scenario = (name: string, part: () => Promise<void>): void => {
    test(name, () => world.explain(part), TEST_LIMIT_MS);
  };

  test.each(CONTENTS)(
    'apply, apply, restore: %s',
    async (_, content, foreign) => {
      await give(content, foreign);
      expect((await nodeMirror('check')).code).toBe(1);
      const plan = await expectDone('plan');
      expect(plan.stdout).toContain(`then SIGHUP to process ${pid}`);
      expect(dockerd.configText()).toBe(content);

      const first = await expectDone('apply');
      expect(first.stdout).toContain(`${dockerd.configFile}: ${url} added as the first of registry-mirrors`);
      expect(await dockerd.mirrors()).toEqual([`${url}/`, ...foreign]);
      const patched = dockerd.configText();
      await expectDone('check');
      expect((await expectDone('apply')).stdout).toContain('nothing to change');
      expect(dockerd.configText()).toBe(patched);

      await expectDone('restore');
      expect(dockerd.configText()).toBe(content);
      expect(await dockerd.mirrors()).toEqual(foreign);
      expect(traces()).toEqual([]);
      expect((await expectDone('restore')).stdout).toContain('nothing to restore');
      expect(dockerd.pid).toBe(pid);
    },
    TEST_LIMIT_MS,
  );

  test.each([
    ['no file', undefined],
    ['an empty file', ''],
    ['a byte order mark', '\uFEFF{"debug": false}'],
  ])(
    'what only a running dockerd bears: %s',
    async (_, content) => {
      await give('{}', []);
      if (content === undefined) rmSync(dockerd.configFile);
      else writeFileSync(dockerd.configFile, content);
      await expectDone('apply');
      expect(await dockerd.mirrors()).toEqual([`${url}/`]);
      await expectDone('restore');
      expect(readdirSync(dirname(dockerd.configFile)).includes('daemon.json')).toBe(content !== undefined);
      if (content !== undefined) expect(dockerd.configText()).toBe(content);
      expect(await dockerd.mirrors()).toEqual([]);
      expect(traces()).toEqual([]);
    },
    TEST_LIMIT_MS,
  );

  scenario('a container goes on, with its process, through apply and restore', async () => {
    await give('{}', []);
    const client = async (...args: readonly string[]): Promise<string> => (await dockerd.docker(args)).trim();
    const empty = world.newFolder('empty-image');
    await run(['tar', '-C', empty, '-cf', node.path('empty.tar'), '.']);
    await client('import', node.path('empty.tar'), 'empty:1');
    const system = ['/bin', '/lib', '/lib64', '/usr'].flatMap((path) => ['--volume', `${path}:${path}:ro`]);
    const id = await client('run', '--detach', '--network=none', ...system, 'empty:1', '/bin/sleep', '600');
    const state = async (): Promise<string> =>
      await client('inspect', '--format', '{{.State.Pid}} {{.State.Status}}', id);
    const before = await state();
    expect(before).toMatch(/^[1-9]\d* running$/);
    try {
      // The command itself, as an operator runs it.
      await run([NODE_MIRROR, 'apply', ...flags(), '--mirror', url]);
      expect(await dockerd.mirrors()).toEqual([`${url}/`]);
      expect(await state()).toBe(before);
      await run([NODE_MIRROR, 'restore', ...flags()]);
      expect(await dockerd.mirrors()).toEqual([]);
      expect(await state()).toBe(before);
    } finally {
      await client('rm', '--force', id);
    }
  });

  test(
    'the running dockerd takes what was written into each file of the corpus',
    () =>
      world.explain(async () => {
        for (const { name, content, refused, untaken, version } of DAEMON_JSON) {
          if (refused !== undefined || untaken !== undefined || version !== undefined) continue;
          if (content === undefined) continue;
          await give('{"registry-mirrors": []}', []);
          writeFileSync(dockerd.configFile, content);
          const applied = await nodeMirror('apply');
          expect({ name, ...applied }).toMatchObject({ name, code: 0 });
          expect((await dockerd.mirrors())[0]).toBe(`${url}/`);
          await expectDone('restore');
          expect(dockerd.configText()).toBe(content);
          expect(await dockerd.mirrors()).not.toContain(`${url}/`);
          expect(traces()).toEqual([]);
        }
      }),
    2 * TEST_LIMIT_MS,
  );

  scenario('insecure registries come and go with a signal each, and proxies are for later versions', async () => {
    const content = '{"insecure-registries": ["a.example:5000"], "debug": false}';
    await give(content, []);
    const insecure = async (): Promise<string[]> => {
      const names =
        '{{range $name, $index := .RegistryConfig.IndexConfigs}}{{if not $index.Secure}}{{$name}} {{end}}{{end}}';
      const ranges = '{{range .RegistryConfig.InsecureRegistryCIDRs}}{{.}} {{end}}';
      const info = ['docker', '--host', `unix://${dockerd.socket}`, 'info', '--format', `${names}${ranges}`];
      return (await node.run(info)).trim().split(' ').sort();
    };
    expect(await insecure()).toEqual(['127.0.0.0/8', 'a.example:5000']);
    const asked = ['--docker-insecure-registry', 'r.example:5000,10.0.0.0/8'];
    expect(await nodeMirror('apply', ...asked)).toMatchObject({ code: 0 });
    expect(await insecure()).toEqual(['10.0.0.0/8', '127.0.0.0/8', 'a.example:5000', 'r.example:5000']);
    expect(await nodeMirror('check', ...asked)).toMatchObject({ code: 0 });
    expect((await nodeMirror('apply', ...asked)).stdout).toContain('nothing to change');
    await expectDone('restore');
    expect(dockerd.configText()).toBe(content);
    expect(await insecure()).toEqual(['127.0.0.0/8', 'a.example:5000']);

    // Without a list of its own in the file dockerd forgets ours only by an empty one.
    await give('{"insecure-registries": []}', []);
    await give('{"debug": false}', []);
    expect(await nodeMirror('apply', ...asked)).toMatchObject({ code: 0 });
    await expectDone('restore');
    expect(dockerd.configText()).toBe('{"debug": false}');
    expect(await insecure()).toEqual(['127.0.0.0/8']);

    const { code, stderr } = await nodeMirror('apply', '--docker-proxy', url, '--restart');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^node-mirror: dockerd 20\.\S+ \(process \d+\) does not know proxies in its file/);
    expect(dockerd.configText()).toBe('{"debug": false}');
    expect(traces()).toEqual([]);
  });

  scenario('a file that dockerd refuses for a reason of its own is put back', async () => {
    await give('{}', []);
    const content = '{"no-such-key": true}';
    writeFileSync(dockerd.configFile, content);
    const { code, stderr } = await nodeMirror('apply');
    expect(code).toBe(1);
    expect(stderr).toMatch(/did not take .* within 3 s: it shows \[\].* was put back as it was$/m);
    expect(dockerd.configText()).toBe(content);
    expect(traces()).toEqual([]);
  });

  scenario('comments and trailing commas are refused with line and column', async () => {
    await give('{}', []);
    writeFileSync(dockerd.configFile, '{\n  "debug": true, // why\n}');
    const { code, stderr } = await nodeMirror('apply');
    expect(code).toBe(1);
    expect(stderr).toContain(`${dockerd.configFile}, line 2, column 18: a comment, which dockerd does not accept`);
    expect(traces()).toEqual([]);
  });

  scenario('without a mirror that answers nothing is changed', async () => {
    await give('{}', []);
    const { code, stderr } = await nodeMirror('apply', '--mirror', 'http://127.0.0.1:1');
    expect(code).toBe(1);
    expect(stderr).toContain('the mirror does not answer GET http://127.0.0.1:1/v2/ within 0 s');
    expect(dockerd.configText()).toBe('{}');
  });

  scenario('a file that is mounted by itself is refused, and left without a trace', async () => {
    await give('{}', []);
    await run(['mount', '--bind', dockerd.configFile, dockerd.configFile]);
    try {
      const { code, stderr } = await nodeMirror('apply');
      expect(code).toBe(1);
      expect(stderr).toContain(`${dockerd.configFile} cannot be written: it is mounted by itself`);
      expect(traces()).toEqual([]);
      expect(dockerd.configText()).toBe('{}');
    } finally {
      await run(['umount', dockerd.configFile]);
    }
  });

  scenario('as in the Job: the root of the node is mounted in a folder', async () => {
    await give('{}', []);
    const hostRoot = world.newFolder('host-root');
    await run(['mount', '--rbind', '/', hostRoot]);
    await run(['mount', '--make-rprivate', hostRoot]);
    try {
      const applied = await nodeMirror('apply', '--host-root', hostRoot);
      expect(applied).toMatchObject({ code: 0 });
      expect(await dockerd.mirrors()).toEqual([`${url}/`]);
      expect(await nodeMirror('restore', '--host-root', hostRoot)).toMatchObject({ code: 0 });
      expect(dockerd.configText()).toBe('{}');
      expect(await dockerd.mirrors()).toEqual([]);
    } finally {
      // Lazily, and with it all below: what containers mounted meanwhile comes and goes by itself.
      await run(['umount', '--lazy', hostRoot]);
    }
  });

  scenario('no dockerd: apply says so, restore gives the file back all the same', async () => {
    await give('{}', []);
    await expectDone('apply');
    process.kill(pid, 'SIGTERM');
    const deadline = Date.now() + 20_000;
    while (dockerd.pid !== 0 && Date.now() < deadline) await pause(20);
    expect(dockerd.pid).toBe(0);
    expect((await nodeMirror('apply')).stderr).toContain('no dockerd runs here');
    await expectDone('restore');
    expect(dockerd.configText()).toBe('{}');
    expect(traces()).toEqual([]);
  });
});
