import { join } from 'node:path';
import { ContainerdRuntime } from '../src/containerd/containerd-runtime';
import { CrioRuntime, PodmanRuntime } from '../src/containers/containers-runtime';
import { DockerRuntime } from '../src/docker/docker-runtime';
import { NodeMirror } from '../src/node-mirror';
import { readRegistries } from '../src/registry';
import type { Report } from '../src/report';
import { HostTree } from './support/host-tree';
import { CERTS, CONFIG, MIRROR } from './support/other-runtimes';
import { PretendedContainerd } from './support/pretended-containerd';
import { PretendedDockerd } from './support/pretended-dockerd';

const DAEMON_JSON = '/etc/docker/daemon.json';
const WITH_CONFIG_PATH = `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "${CERTS}"\n`;

let node: HostTree;
beforeEach(() => {
  node = new HostTree();
  node.write('/etc/hostname', 'n1\n');
  node.write('/proc/uptime', '1 1\n');
});
afterEach(() => {
  node.remove();
});

/** A process as /proc shows it; in a container it has a number there too. */
const runs = (pid: number, program: string, nested = false): void => {
  const [stat, cmdline, status] = ['stat', 'cmdline', 'status'].map((file) => `/proc/${pid}/${file}`);
  node.write(stat ?? '', `${pid} (${program}) S ${'0 '.repeat(30)}`);
  node.write(cmdline ?? '', `/usr/bin/${program}\0`);
  node.write(status ?? '', `Name:\t${program}\nNSpid:\t${pid}${nested ? '\t1' : ''}\n`);
};

/** All four kinds of runtime, of which those are there that are given. */
const auto = (dockerd?: PretendedDockerd, containerd?: PretendedContainerd, signal?: AbortSignal): NodeMirror => {
  const common = { hostRoot: node.root, mirror: MIRROR, registries: readRegistries(['docker.io']) };
  const containers = { ...common, registriesConf: '/etc/containers/registries.conf' };
  const docker = {
    ...common,
    ...{ config: DAEMON_JSON, socket: '/run/docker.sock', pidFile: '/run/docker.pid' },
    ...{ registries: ['docker.io'], insecure: [], restart: false },
  };
  const found = containerd === undefined ? { config: CONFIG, absent: 'no' } : { config: CONFIG, containerd };
  return new NodeMirror(
    [
      new DockerRuntime(docker, () => Promise.resolve(dockerd)),
      new ContainerdRuntime(
        { ...common, hosts: CERTS, restart: false, auto: true, proc: join(node.root, 'proc') },
        () => Promise.resolve(found),
      ),
      new CrioRuntime(containers, () => Promise.resolve(undefined)),
      new PodmanRuntime(containers, {
        run: () => Promise.resolve({ ok: true, said: 'podman version 5.4.2', ran: true }),
      }),
    ],
    { mirror: MIRROR, waitMs: 0, reloadTimeoutMs: 100, auto: true },
    { waitForMirror: () => Promise.resolve(), ...(signal === undefined ? {} : { signal }) },
  );
};

const outcomes = ({ runtimes }: Report): string[] => runtimes.map(({ runtime, outcome }) => `${runtime} ${outcome}`);

test('nothing runs: refused in one sentence, and nothing is made', async () => {
  const before = node.all;
  const report = await auto().apply();
  expect(report.outcome).toBe('refused');
  expect(report.reason).toMatch(
    /^no container runtime was found on this node: docker: no dockerd runs here: .*; containerd: no; crio: no CRI-O runs here: there is no process crio; podman: podman is not installed here: [^;]*; nothing was changed$/,
  );
  expect((await auto().restore()).outcome).toBe('done');
  expect(node.all).toEqual(before);
});

test('docker alone: the folders of the others are not made', async () => {
  const dockerd = new PretendedDockerd(join(node.root, DAEMON_JSON));
  expect(outcomes(await auto(dockerd).apply())).toEqual([
    ...['docker changed', 'containerd absent', 'crio absent', 'podman absent'],
  ]);
  expect(Object.keys(node.all).filter((path) => path.startsWith('/etc/'))).toEqual([
    ...['/etc/docker/daemon.json', '/etc/docker/daemon.json.dragonfly-state', '/etc/hostname'],
  ]);
});

test('several: each is pointed at the mirror, and one that refuses does not keep the others from it', async () => {
  node.write(CONFIG, WITH_CONFIG_PATH);
  node.write('/usr/bin/podman', '');
  const dockerd = new PretendedDockerd(join(node.root, DAEMON_JSON));
  const containerd = new PretendedContainerd();
  const before = node.all;
  dockerd.deaf = true;
  const report = await auto(dockerd, containerd).apply();
  expect(report.outcome).toBe('refused');
  expect(outcomes(report)).toEqual(['docker refused', 'containerd changed', 'crio absent', 'podman changed']);
  dockerd.deaf = false;
  expect(outcomes(await auto(dockerd, containerd).apply())).toEqual([
    ...['docker changed', 'containerd unchanged', 'crio absent', 'podman unchanged'],
  ]);
  expect((await auto(dockerd, containerd).check()).outcome).toBe('done');
  await auto(dockerd, containerd).restore();
  expect(node.all).toEqual(before);
});

test('told to stop: the runtime that it is at is finished, and with the next nothing is begun, unless all are to be off the mirror', async () => {
  node.write(CONFIG, WITH_CONFIG_PATH);
  node.write('/usr/bin/podman', '');
  const dockerd = new PretendedDockerd(join(node.root, DAEMON_JSON));
  const containerd = new PretendedContainerd();
  const before = node.all;
  const during = (): NodeMirror => {
    const stop = new AbortController();
    dockerd.onCall = (call) => (call === 'reload' ? stop.abort() : undefined);
    return auto(dockerd, containerd, stop.signal);
  };
  const report = await during().apply();
  expect(outcomes(report)).toEqual(['docker changed', 'containerd refused', 'crio absent', 'podman refused']);
  expect(report.runtimes[1]?.reason).toBe('told to stop before its turn; nothing was changed');
  await auto(dockerd, containerd).apply();
  expect(outcomes(await during().restore())).toEqual([
    ...['docker restored', 'containerd refused', 'crio refused', 'podman refused'],
  ]);
  await auto(dockerd, containerd).apply();
  expect((await during().restore({ toTheEnd: true })).outcome).toBe('done');
  expect(node.all).toEqual(before);
});

test.each([
  ['serves dockerd, and runs no pods', false, false, 'absent'],
  ['runs pods beside a dockerd', true, false, 'changed'],
  ['runs no pods yet, and the only dockerd is in a container', false, true, 'changed'],
])('a containerd that %s', async (_, pods, nested, outcome) => {
  node.write(CONFIG, WITH_CONFIG_PATH);
  runs(41, 'dockerd', nested);
  const containerd = new PretendedContainerd();
  containerd.pods = pods;
  expect(outcomes(await auto(undefined, containerd).apply())).toContain(`containerd ${outcome}`);
});
