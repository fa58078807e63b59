import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerPlaces } from '../src/docker/docker-places';

const DEFAULTS = {
  config: '/etc/docker/daemon.json',
  socket: '/var/run/docker.sock',
  pidFile: '/var/run/docker.pid',
};

let hostRoot: string;
let proc: string;

beforeEach(() => {
  hostRoot = mkdtempSync(join(tmpdir(), 'docker-places-'));
  proc = join(hostRoot, 'proc');
  mkdirSync(proc);
});
afterEach(() => rmSync(hostRoot, { recursive: true }));

/** A process as /proc shows it. */
function runs(pid: number, ...args: readonly string[]): void {
  const folder = join(proc, String(pid));
  mkdirSync(folder);
  writeFileSync(join(folder, 'stat'), `${pid} (x) S ${'0 '.repeat(18)}77 0`);
  writeFileSync(join(folder, 'cmdline'), `${args.join('\0')}\0`);
  writeFileSync(join(folder, 'status'), `Name:\tx\nNSpid:\t${pid}\n`);
}

function file(path: string, text: string): void {
  const folder = join(hostRoot, path, '..');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(hostRoot, path), text);
}

test('are those that dockerd has by itself, while none runs', async () => {
  expect(await dockerPlaces({ hostRoot, proc })).toEqual(DEFAULTS);
});

test('are those that the command line of the dockerd that runs names', async () => {
  runs(
    7,
    '/usr/bin/dockerd',
    '-H',
    'tcp://0.0.0.0:2375',
    '-H',
    'unix:///run/a.sock',
    '--config-file=/srv/d.json',
    '-p',
    '/run/a.pid',
  );
  runs(8, 'containerd', '--config', '/b.toml');
  expect(await dockerPlaces({ hostRoot, proc })).toEqual({
    config: '/srv/d.json',
    socket: '/run/a.sock',
    pidFile: '/run/a.pid',
  });
});

test('are those that its file names, where its command line does not', async () => {
  runs(7, 'dockerd', '--config-file', '/srv/d.json', '--host=fd://');
  file('/srv/d.json', JSON.stringify({ hosts: ['tcp://127.0.0.1:1', 'unix:///run/b.sock'], pidfile: '/run/b.pid' }));
  expect(await dockerPlaces({ hostRoot, proc })).toEqual({
    config: '/srv/d.json',
    socket: '/run/b.sock',
    pidFile: '/run/b.pid',
  });
});

test('are those that were said, each by itself', async () => {
  runs(7, 'dockerd', '-H', 'unix:///run/a.sock', '--pidfile', '/run/a.pid');
  expect(await dockerPlaces({ hostRoot, proc, config: '/c.json', socket: '/c.sock' })).toEqual({
    config: '/c.json',
    socket: '/c.sock',
    pidFile: '/run/a.pid',
  });
});

test.each([['{ "hosts": 5, "pidfile": [] }'], ['no JSON'], ['[]']])(
  'are found beside a file that holds %s',
  async (text) => {
    runs(7, 'dockerd');
    file('/etc/docker/daemon.json', text);
    expect(await dockerPlaces({ hostRoot, proc })).toEqual(DEFAULTS);
  },
);

test('are nobody’s where more than one dockerd runs', async () => {
  runs(7, 'dockerd', '--config-file', '/a.json');
  runs(8, 'dockerd', '--config-file', '/b.json');
  expect(await dockerPlaces({ hostRoot, proc })).toEqual(DEFAULTS);
});

test('are those of the dockerd that ran before, while none runs', async () => {
  const before = { config: '/a.json', socket: '/a.sock', pidFile: '/a.pid' };
  expect(await dockerPlaces({ hostRoot, proc }, before)).toEqual(before);
  runs(7, 'dockerd');
  expect(await dockerPlaces({ hostRoot, proc }, before)).toEqual(DEFAULTS);
});
