import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { Containerd } from '../world/containerd';
import { Dockerd } from '../world/dockerd';
import type { Host } from '../world/host';
import { World } from '../world/world';
import { NODE_MIRROR, nodeMirrorHere } from './command';

const TEST_LIMIT_MS = 400_000;
/** Every call by which a run may change the node. */
const CALLS =
  'rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,symlink,symlinkat,fsync,fdatasync,chmod,fchmod,chown,fchown,ftruncate,write,kill';

interface Subject {
  readonly name: string;
  readonly flags: readonly string[];
  /** Everything of the node that a run may change. */
  readonly folder: string;
  /** Of that folder only what begins so. */
  readonly only?: string;
  /** The file that the runtime reads. */
  readonly file: string;
  /** Calls that cannot be counted: the runtime's own program, which is run meanwhile, makes some of them too. */
  readonly uncounted?: string;
}

/** Every file below a folder, by its path. */
function treeOf({ folder, only = '' }: Subject): Record<string, string> {
  const tree: Record<string, string> = {};
  const walk = (path: string): void => {
    for (const name of readdirSync(path)) {
      const entry = join(path, name);
      if (!entry.startsWith(join(folder, only))) continue;
      if (statSync(entry, { throwIfNoEntry: false })?.isDirectory() === true) walk(entry);
      else
        tree[entry] =
          statSync(entry, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(entry, 'utf8') : 'link';
    }
  };
  walk(folder);
  return tree;
}

// CRI-O is not among them: its drop-ins are those of podman.
describe('killed at every call that changes something', () => {
  let world: World;
  let node: Host;
  let mirror: Server;
  let url: string;
  const subjects: Record<string, Subject> = {};

  beforeAll(async () => {
    world = await World.create();
    await world.explain(async () => {
      node = await world.host('node');
      mirror = createServer((_, response) => response.writeHead(401).end()).listen(0, '127.0.0.1');
      await once(mirror, 'listening');
      url = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;

      const dockerd = await Dockerd.start(node, '{\n    "debug": false\n}\n');
      subjects['docker'] = {
        name: 'docker',
        flags: [
          ...['--runtime', 'docker', '--docker-config', dockerd.configFile],
          ...['--docker-socket', dockerd.socket, '--docker-pid-file', dockerd.pidFile],
        ],
        folder: dirname(dockerd.configFile),
        only: 'daemon.json',
        file: dockerd.configFile,
      };

      const other = await world.host('other');
      await Containerd.start(other);
      mkdirSync(other.path('certs.d/docker.io'), { recursive: true });
      const hosts = other.path('certs.d/docker.io/hosts.toml');
      writeFileSync(hosts, '# theirs\n[host."http://127.0.0.1:1"]\n');
      subjects['containerd'] = {
        name: 'containerd',
        flags: ['--runtime', 'containerd', '--containerd-config', other.path('containerd.toml')],
        folder: other.path('certs.d'),
        file: hosts,
      };

      const dropIns = '/etc/containers/registries.conf.d';
      mkdirSync(dropIns, { recursive: true });
      subjects['podman'] = {
        name: 'podman',
        flags: ['--runtime', 'podman'],
        folder: dropIns,
        file: join(dropIns, '99-dragonfly-docker.io.conf'),
        uncounted: 'write',
      };
    });
  }, TEST_LIMIT_MS);

  afterAll(async () => {
    mirror.close();
    await world.stop();
  }, TEST_LIMIT_MS);

  const flagsOf = ({ flags }: Subject): readonly string[] => [
    ...[...flags, '--mirror', url, '--readyz', 'none', '--wait', '0s'],
  ];

  /** Runs a mode in this process: what is not to be killed need not be started. */
  async function finish(subject: Subject, mode: 'apply' | 'restore'): Promise<void> {
    expect(await nodeMirrorHere(mode, flagsOf(subject))).toMatchObject({ code: 0, stderr: '' });
  }

  /** Runs a mode under strace. @returns whether it was killed */
  async function run(subject: Subject, mode: string, ...strace: readonly string[]): Promise<boolean> {
    const command = ['-f', '-qq', '-y', ...strace, process.execPath, NODE_MIRROR, mode, ...flagsOf(subject)];
    // One thread for all file operations, so that their calls are counted in the order in which they are made.
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
    const child = spawn('strace', command, { stdio: ['ignore', 'ignore', 'pipe'], env });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    await once(child, 'close');
    if (child.exitCode === 0) return false;
    if (child.signalCode === 'SIGKILL' || child.exitCode === 137) return true;
    throw new Error(`node-mirror ${mode} ended with ${child.exitCode ?? child.signalCode ?? '?'}: ${said}`);
  }

  /** Every call of a run that changes something, as strace counts them: by its name, in its thread. */
  async function changesOf(subject: Subject, mode: string): Promise<string[]> {
    const log = join(dirname(subject.folder), `${subject.name}-${mode}.strace`);
    await run(subject, mode, '-o', log, '-e', `trace=${CALLS}`);
    const counts = new Map<string, number>();
    const points = readFileSync(log, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, thread = '', call = ''] = /^(\d+)\s+(\w+)\(/.exec(line) ?? [];
        if (call === '') return [];
        const count = (counts.get(thread + call) ?? 0) + 1;
        counts.set(thread + call, count);
        const isChange = line.includes(join(subject.folder, subject.only ?? '')) || call === 'kill';
        return isChange && call !== subject.uncounted ? [`${call}:signal=SIGKILL:when=${count}`] : [];
      });
    return [...new Set(points)];
  }

  test.each(['docker', 'containerd', 'podman'])(
    '%s: the file is one of the whole states, and the next run finishes the work',
    async (name) => {
      const subject = subjects[name];
      if (subject === undefined) throw new Error(`no ${name}`);
      await world.explain(async () => {
        const first = treeOf(subject);
        await finish(subject, 'apply');
        const patched = treeOf(subject);
        await finish(subject, 'restore');
        expect(treeOf(subject)).toEqual(first);
        const states = [first[subject.file], patched[subject.file]];
        if (name === 'docker') states.push('{\n    "debug": false,\n    "registry-mirrors": []\n}\n');

        let kills = 0;
        const missed: string[] = [];
        for (const mode of ['apply', 'restore'] as const) {
          const expectWhole = async (): Promise<void> => {
            expect(states).toContain(treeOf(subject)[subject.file]);
            await finish(subject, mode);
            const now = treeOf(subject);
            expect(now[subject.file]).toBe((mode === 'apply' ? patched : first)[subject.file]);
            await finish(subject, 'restore');
            expect(treeOf(subject)).toEqual(first);
          };
          if (mode === 'restore') await finish(subject, 'apply');
          const points = await changesOf(subject, mode);
          expect(points.length).toBeGreaterThan(5);
          await expectWhole();
          for (const point of points) {
            if (mode === 'restore') await finish(subject, 'apply');
            const call = point.split(':')[0] ?? '';
            if (await run(subject, mode, '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${point}`)) kills += 1;
            else missed.push(point);
            await expectWhole();
          }
        }
        // Which of the writes that wake the main thread are made is a matter of chance, so the count may be off by some.
        expect(missed.filter((point) => !point.startsWith('write'))).toEqual([]);
        process.stdout.write(`${name}: killed ${kills} times\n`);
      });
    },
    TEST_LIMIT_MS,
  );
});
