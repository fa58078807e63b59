import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DockerdPlaces, findDockerd } from '../src/docker/dockerd';
import { validateWithDockerd } from '../src/docker/validate';
import { HostCommands } from '../src/host-commands';
import { sameFile } from '../src/process';
import { Refusal } from '../src/refusal';

/** A process that says a line for each SIGHUP, under another name: what matters is what /proc shows. */
const LISTENER = "process.on('SIGHUP', () => console.log('hup')); console.log('up'); setInterval(() => {}, 1000);";

let root: string;
let places: DockerdPlaces;
let child: ChildProcess | undefined;
let server: Server | undefined;

const start = async (name: string, ...args: string[]): Promise<number> => {
  child = spawn(process.execPath, ['-e', LISTENER, '--', ...args], {
    argv0: name,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('no output');
  await once(child.stdout, 'data');
  return child.pid ?? 0;
};
const answer = async (body: unknown, status = 200): Promise<void> => {
  server = createServer((_, response) => response.writeHead(status).end(JSON.stringify(body)));
  server.listen(places.socket);
  await once(server, 'listening');
};
const INFO = { ServerVersion: '20.10.24', RegistryConfig: { Mirrors: ['http://a/'] } };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dockerd-'));
  places = { hostRoot: root, pidFile: join(root, 'docker.pid'), socket: join(root, 'docker.sock') };
});
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  child = undefined;
  server?.close();
  server = undefined;
  rmSync(root, { recursive: true });
});

test('is found by pid file and socket, asked, and told', async () => {
  const pid = await start('dockerd', '--registry-mirror', 'http://x', '--registry-mirror=http://y');
  writeFileSync(places.pidFile, `${pid}\n`);
  await answer(INFO);
  const dockerd = await findDockerd(places);
  expect(dockerd).toMatchObject({ pid, version: '20.10.24' });
  expect(dockerd?.valuesOf('--registry-mirror')).toEqual(['http://x', 'http://y']);
  expect((await dockerd?.info())?.mirrors).toEqual(['http://a/']);
  const told = once(child?.stdout ?? process.stdin, 'data');
  await dockerd?.reload();
  expect(String((await told)[0])).toBe('hup\n');
});

test('reads the file that its command line names, through links', async () => {
  mkdirSync(join(root, 'etc'));
  symlinkSync('etc', join(root, 'link'));
  writeFileSync(
    places.pidFile,
    String(await start('/usr/bin/dockerd', '--config-file', join(root, 'link/daemon.json'))),
  );
  await answer({ ...INFO, RegistryConfig: { Mirrors: null } });
  const dockerd = await findDockerd(places);
  expect(await dockerd?.reads(join(root, 'etc/daemon.json'))).toBe(true);
  expect(await dockerd?.reads(join(root, 'etc/other.json'))).toBe(false);
  expect(await dockerd?.reads('/etc/docker/daemon.json')).toBe(false);
  expect((await dockerd?.info())?.mirrors).toEqual([]);
});

test('does not run', async () => {
  expect(await findDockerd(places)).toBeUndefined();
});

test('does not run, and its socket is not asked, by which systemd would start it', async () => {
  await answer(INFO);
  let asked = 0;
  server?.on('connection', () => (asked += 1));
  // A machine of its own: tests beside this one start programs of that name.
  mkdirSync(join(root, 'proc'));
  expect(await findDockerd({ ...places, proc: join(root, 'proc') })).toBeUndefined();
  expect(asked).toBe(0);
});

test('a file is the same when it is missing, and its folders, below one folder that is there', async () => {
  mkdirSync(join(root, 'etc'));
  symlinkSync('etc', join(root, 'link'));
  for (const missing of ['daemon.json', 'docker/daemon.json', 'a/b/daemon.json']) {
    expect(await sameFile(join(root, 'etc', missing), join(root, 'link', missing))).toBe(true);
    expect(await sameFile(join(root, 'etc', missing), join(root, missing))).toBe(false);
  }
  expect(await sameFile(join(root, 'etc/docker/daemon.json'), join(root, 'link/dicker/daemon.json'))).toBe(false);
});

test('has ended and left its pid file, whose number another process has now', async () => {
  writeFileSync(places.pidFile, String(await start('sleep')));
  expect(await findDockerd(places)).toBeUndefined();
});

test('has ended since it was found: its number gets no signal', async () => {
  const pid = await start('dockerd');
  writeFileSync(places.pidFile, String(pid));
  await answer(INFO);
  const dockerd = await findDockerd(places);
  child?.kill('SIGKILL');
  if (child !== undefined) await once(child, 'exit');
  await expect(dockerd?.reload()).rejects.toThrow(
    `dockerd (process ${pid}) has ended in the meantime: run again when it is up`,
  );
});

test.each([
  [
    'EPERM',
    /^dockerd \(process \d+\) cannot be told, as the system does not permit SIGHUP to it: run as root; in a pod, hostPID/,
  ],
  ['EACCES', /^dockerd \(process \d+\) cannot be told, as the system does not permit/],
  ['ESRCH', /^dockerd \(process \d+\) has ended in the meantime: run again when it is up$/],
])('cannot be told, with %s: a refusal, so that its file is put back', async (code, reason) => {
  writeFileSync(places.pidFile, String(await start('dockerd')));
  await answer(INFO);
  const dockerd = await findDockerd(places);
  const kill = jest.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error(`kill ${code}`), { code });
  });
  try {
    const refused = await dockerd?.reload().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refusal);
    expect(String(refused instanceof Error ? refused.message : refused)).toMatch(reason);
    expect(kill).toHaveBeenCalledWith(dockerd?.pid, 'SIGHUP');
  } finally {
    kill.mockRestore();
  }
});

describe('is refused', () => {
  test('when it cannot be told: no pid file', async () => {
    await start('dockerd');
    await answer(INFO);
    await expect(findDockerd(places)).rejects.toThrow(
      `dockerd answers on ${places.socket}, but there is no pid file ${places.pidFile}: name it with --docker-pid-file`,
    );
  });

  test('when it cannot be told: its process is not visible', async () => {
    writeFileSync(places.pidFile, '4194305');
    await answer(INFO);
    await expect(findDockerd(places)).rejects.toThrow(
      /process 4194305 of .* is not visible here: in a pod, hostPID: true is needed/,
    );
  });

  test('when it cannot be told: the process is another', async () => {
    writeFileSync(places.pidFile, String(await start('nginx')));
    await answer(INFO);
    await expect(findDockerd(places)).rejects.toThrow(/is nginx, no dockerd: in a pod/);
  });

  test('when it cannot be asked', async () => {
    const pid = await start('dockerd');
    writeFileSync(places.pidFile, String(pid));
    await expect(findDockerd(places)).rejects.toThrow(
      `dockerd runs (process ${pid}), but nobody listens on ${places.socket}: name its API socket with --docker-socket`,
    );
  });

  test.each([
    [{}, 200, 'its answer to GET /info is not that of a Docker engine'],
    [INFO, 503, 'it answered 503 to GET /info'],
  ])('when it answers %j with %i', async (body, status, reason) => {
    writeFileSync(places.pidFile, String(await start('dockerd')));
    await answer(body, status);
    await expect(findDockerd(places)).rejects.toThrow(`dockerd cannot be asked at ${places.socket}: ${reason}`);
  });

  test('with a pid file that is none', async () => {
    writeFileSync(places.pidFile, '-1');
    await expect(findDockerd(places)).rejects.toThrow(/is not a pid file: it holds no process number/);
  });
});

describe('validates a file', () => {
  const program = (script: string): string => {
    const path = join(root, 'dockerd');
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  test('together with its own flags, its own file aside', async () => {
    const path = program(`echo "$@" > ${root}/args`);
    await validateWithDockerd(
      new HostCommands('/'),
      path,
      ['dockerd', '-H', 'fd://', '--config-file', '/a', '--config-file=/b', '--debug'],
      '/tmp/new',
    );
    expect(readFileSync(join(root, 'args'), 'utf8')).toBe('-H fd:// --debug --validate --config-file /tmp/new\n');
  });

  test('and its reason is passed on', async () => {
    const path = program('echo "unable to configure: /tmp/new is bad" >&2\nexit 1');
    await expect(validateWithDockerd(new HostCommands('/'), path, ['dockerd'], '/tmp/new')).rejects.toThrow(
      'dockerd would not start with the new configuration: unable to configure: the file is bad',
    );
  });

  describe('from a pod', () => {
    const nsenter = (script: string): void => {
      writeFileSync(join(root, 'nsenter'), `#!/bin/sh\n${script}\n`);
      chmodSync(join(root, 'nsenter'), 0o755);
    };
    const validate = async (): Promise<void> => {
      const commands = new HostCommands('/host', join(root, 'nsenter'));
      await validateWithDockerd(commands, '/proc/7/exe', ['dockerd'], '/host/etc/docker/new');
    };

    test('in the namespaces of the node, by the names of the node', async () => {
      nsenter('echo "$@" >&2\nexit 1');
      await expect(validate()).rejects.toThrow(
        'dockerd would not start with the new configuration: -t 1 -m -u -i -n -p -- /proc/7/exe --validate --config-file the file',
      );
    });

    test.each([
      ['cannot be entered', 'echo "nsenter: reassociate to namespace failed: Operation not permitted" >&2\nexit 1'],
      [
        'have no such program',
        'echo "nsenter: failed to execute /proc/7/exe: No such file or directory" >&2\nexit 127',
      ],
    ])('and where they %s that is left to the reload', async (_, script) => {
      nsenter(script);
      await expect(validate()).resolves.toBeUndefined();
    });

    test('and so it is where there is no nsenter', async () => {
      expect(readdirSync(root)).toEqual([]);
      await expect(validate()).resolves.toBeUndefined();
    });
  });
});
