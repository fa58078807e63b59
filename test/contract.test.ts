import { dirname } from 'node:path';
import { parseCommand, readNodeConfig } from '@cdk8s-dragonfly/command';
import { DFDAEMON, DFGET_PREHEAT, NODE_MIRROR, SUPERNODE } from '@cdk8s-dragonfly/contract';
import { parseUpstreams, pickUpstream } from '@cdk8s-dragonfly/dfdaemon';
import { runtimesOf } from '@cdk8s-dragonfly/node-mirror';
import { OriginRules, TokenHosts } from '@cdk8s-dragonfly/origin';
import { pulsePort } from '@cdk8s-dragonfly/protocol';
import { Duration, Size } from 'cdk8s';
import {
  Bandwidth,
  BlobAuthorization,
  Dragonfly,
  LogLevel,
  NodeMirrorJob,
  NodeMirrorMode,
  PreheatJob,
  Preset,
  Storage,
} from '../src';
import type { DragonflyProps } from '../src';
import { COMMANDS } from './support/flags-document';
import { envOf, podOf } from './support/pod';
import type { Container } from './support/pod';
import { chart, manifestsOf } from './support/synth';
import type { Manifest } from './support/synth';

const IMAGES = { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' };
const NO_FILES = (path: string): string => {
  throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' });
};

/** The arguments of a container as the kubelet gives them: `$(NAME)` replaced. */
function argumentsOf({ args = [] }: Container, env: Readonly<Record<string, string>>): string[] {
  return args.map((arg) => arg.replace(/\$\((\w+)\)/g, (text, name: string) => env[name] ?? text));
}

function install(props: Partial<DragonflyProps> = {}): Manifest[] {
  const scope = chart();
  new Dragonfly(scope, 'dragonfly', { ...IMAGES, ...props });
  return manifestsOf(scope);
}

function supernodeValues(manifests: Manifest[]) {
  const [container] = podOf(manifests, 'Deployment').containers;
  const env = envOf(container, { 'status.podIP': '10.1.2.3' });
  return parseCommand(SUPERNODE, argumentsOf(container, env), { env, readFile: NO_FILES });
}

function daemonValues(manifests: Manifest[]) {
  const [container] = podOf(manifests, 'DaemonSet').containers;
  const env = envOf(container, { 'status.hostIP': '192.0.2.7' });
  return parseCommand(DFDAEMON, argumentsOf(container, env), { env, readFile: NO_FILES });
}

describe('what the daemons understand of the manifests', () => {
  it('the supernode: its home is the mounted folder, its address the pod, its origins the registries', () => {
    const manifests = install({ registries: [{ url: 'http://127.0.0.1:5000' }, { url: 'https://docker.io' }] });
    const values = supernodeValues(manifests);
    expect(values.homeDir).toBe('/home/admin/supernode');
    expect(values.advertiseIp).toBe('10.1.2.3');
    expect(values.allowOrigin).toEqual([
      { host: '127.0.0.1', port: 5000 },
      { host: 'registry-1.docker.io', port: 443 },
    ]);
    expect(podOf(manifests, 'Deployment').containers[0].volumeMounts).toEqual([
      { name: 'data', mountPath: values.homeDir },
    ]);
  });

  it('the supernode listens on the ports that its Service and its probes name', () => {
    const manifests = install();
    const values = supernodeValues(manifests);
    expect(podOf(manifests, 'Deployment').containers[0].ports).toEqual([
      { name: 'api', containerPort: values.port, protocol: 'TCP' },
      { name: 'pieces', containerPort: values.downloadPort, protocol: 'TCP' },
      { name: 'pulse', containerPort: pulsePort(values.port), protocol: 'UDP' },
    ]);
    expect(manifests.find(({ kind }) => kind === 'Service')).toMatchObject({
      spec: {
        ports: [
          { port: values.port, targetPort: 'api' },
          { port: values.downloadPort, targetPort: 'pieces' },
          { port: pulsePort(values.port), targetPort: 'pulse', protocol: 'UDP' },
        ],
      },
    });
  });

  it('the df-daemon: its home and node file are mounted there, its address is the node', () => {
    const manifests = install();
    const values = daemonValues(manifests);
    expect(values.advertiseIp).toBe('192.0.2.7');
    expect(podOf(manifests, 'DaemonSet').containers[0].volumeMounts).toEqual([
      { name: 'config', mountPath: values.nodeConfig, subPath: 'dragonfly.conf', readOnly: true },
      { name: 'data', mountPath: values.dataDir },
    ]);
  });

  it('the df-daemon listens on the ports that its container declares', () => {
    const manifests = install();
    const values = daemonValues(manifests);
    expect(podOf(manifests, 'DaemonSet').containers[0].ports).toMatchObject([
      { name: 'mirror', containerPort: values.port, hostPort: values.port, hostIP: values.hostIp },
      { name: 'peer', containerPort: values.peerPort, hostPort: values.peerPort },
      { name: 'ops', containerPort: values.opsListen.port, hostPort: values.opsListen.port },
    ]);
  });

  it.each([
    ['the default', install()],
    ['the classic installation', install({ ...Preset.classic() })],
  ])('the node file of %s names the Service', (_what, manifests) => {
    const configMap = manifests.find(({ kind }) => kind === 'ConfigMap') as Manifest & { data: Record<string, string> };
    const service = manifests.find(({ kind }) => kind === 'Service')!;
    expect(readNodeConfig(configMap.data['dragonfly.conf']!)).toEqual([{ host: service.metadata.name, port: 8002 }]);
  });

  it.each([
    [[{ url: 'https://registry-1.docker.io' }]],
    [
      [
        { url: 'https://docker.io' },
        { host: 'ghcr.io', url: 'https://mirror.example.com:8443' },
        { url: 'https://registry.example.com:5000/' },
      ],
    ],
    [[{ url: 'http://127.0.0.1:5000' }, { url: 'https://index.docker.io' }]],
    [[{ url: 'http://[::1]:5000' }, { host: 'QUAY.io', url: 'https://quay.io' }]],
  ])('the registries %j reach the df-daemon, and the supernode may fetch from each', (registries) => {
    const manifests = install({ registries });
    const upstreams = parseUpstreams(daemonValues(manifests).registry);
    const rules = new OriginRules({ allow: supernodeValues(manifests).allowOrigin });
    const urls = new Set([upstreams.default, ...upstreams.byHost.values()]);
    expect(urls.size).toBe(registries.length);
    for (const url of urls) {
      expect(() => rules.checkUrl(url, 'first-hand')).not.toThrow();
    }
    expect(() => rules.checkUrl(new URL('https://elsewhere.example.com'), 'first-hand')).toThrow('is refused');
  });

  it('a registry may show its credentials to the token servers that are named for it, at both daemons, and to no other', () => {
    const manifests = install({
      registries: [
        {
          url: 'https://mirror.example.com:8443/',
          host: 'ghcr.io',
          tokenServers: ['auth.example.com', '[fd00::1]:8443'],
        },
        { url: 'https://quay.io' },
      ],
    });
    const mayBeShown = (text: readonly string[], registry: string, realm: string): boolean => {
      const url = new URL(registry);
      return new TokenHosts(text).mayBeShown(url, [url.host], new URL(realm));
    };
    for (const { tokenServer } of [daemonValues(manifests), supernodeValues(manifests)]) {
      expect(mayBeShown(tokenServer, 'https://mirror.example.com:8443', 'https://auth.example.com/token')).toBe(true);
      expect(mayBeShown(tokenServer, 'https://mirror.example.com:8443', 'https://[fd00::1]:8443/token')).toBe(true);
      expect(mayBeShown(tokenServer, 'https://mirror.example.com:8443', 'https://[fd00::1]/token')).toBe(false);
      expect(mayBeShown(tokenServer, 'https://quay.io', 'https://auth.example.com/token')).toBe(false);
    }
  });

  it('a registry is found by the name that stands in images', () => {
    const { registry } = daemonValues(
      install({ registries: [{ url: 'http://127.0.0.1:5000' }, { host: 'ghcr.io', url: 'https://m.example.com' }] }),
    );
    const upstreams = parseUpstreams(registry);
    expect(pickUpstream(upstreams, undefined)?.href).toBe('http://127.0.0.1:5000/');
    expect(pickUpstream(upstreams, 'ghcr.io')?.href).toBe('https://m.example.com/');
  });

  it.each([
    [{ diskQuota: Size.gibibytes(3) }, { diskQuota: 3 * 2 ** 30 }],
    [{ diskQuota: Size.mebibytes(700) }, { diskQuota: 700 * 2 ** 20 }],
    [{ minFree: Size.gibibytes(2) }, { minFree: 2 * 2 ** 30 }],
    [{ maxBandwidth: Bandwidth.gibibytesPerSecond(1) }, { maxBandwidth: 2 ** 30, systemBandwidth: 20 * 2 ** 20 }],
    [
      { maxBandwidth: Bandwidth.mebibytesPerSecond(7), systemBandwidth: Bandwidth.mebibytesPerSecond(6) },
      { maxBandwidth: 7 * 2 ** 20, systemBandwidth: 6 * 2 ** 20 },
    ],
    [{ logLevel: LogLevel.ERROR }, { logLevel: 'error' }],
    [{ signingKeySecret: 'key' }, { signingKey: '/etc/dragonfly/signing/signing-key.pem' }],
    [
      { storage: Storage.emptyDir({ sizeLimit: Size.gibibytes(2) }) },
      { diskQuota: (2048 - 103) * 2 ** 20, minFree: 103 * 2 ** 20 },
    ],
  ])('the supernode: %j arrive as %j', (supernode, expected) => {
    expect(supernodeValues(install({ supernode }))).toMatchObject(expected);
  });

  it('several supernodes: each knows all of them, and signs with the mounted key', () => {
    const manifests = install({ supernode: { replicas: 2, signingKeySecret: 'key' } });
    const [container] = podOf(manifests, 'StatefulSet').containers;
    const env = envOf(container, { 'status.podIP': '10.1.2.3' });
    const values = parseCommand(SUPERNODE, argumentsOf(container, env), { env, readFile: NO_FILES });
    expect(values.peers).toEqual([
      { host: 'supernode-0.supernode-replicas' },
      { host: 'supernode-1.supernode-replicas' },
    ]);
    expect(container.volumeMounts).toContainEqual({
      name: 'signing-key',
      mountPath: dirname(`${values.signingKey}`),
      readOnly: true,
    });
  });

  it.each([
    [{ mirrorPort: 7001 }, { port: 7001 }],
    [{ peerPort: 7002 }, { peerPort: 7002 }],
    [{ opsPort: 7003 }, { opsListen: { host: '::', port: 7003 } }],
    [{ zone: 'eu-1' }, { zone: 'eu-1' }],
    [{ diskQuota: Size.gibibytes(9) }, { diskQuota: 9 * 2 ** 30 }],
    [{ minFree: Size.mebibytes(1500) }, { minFree: 1500 * 2 ** 20 }],
    [{ blobAuthorization: BlobAuthorization.NONE }, { blobAuthorization: 'none' }],
    [{ blobAuthorization: BlobAuthorization.ORIGIN }, { blobAuthorization: 'origin' }],
    [{ logLevel: LogLevel.DEBUG }, { logLevel: 'debug' }],
    [{ storage: Storage.emptyDir() }, { dataDir: '/var/lib/dragonfly' }],
  ])('the df-daemon: %j arrive as %j', (daemon, expected) => {
    expect(daemonValues(install({ daemon }))).toMatchObject(expected);
  });

  it('the classic df-daemon: the registry from its environment, its home the classic mount', () => {
    const manifests = install({ ...Preset.classic() });
    const values = daemonValues(manifests);
    expect(values.registry).toEqual(['https://registry.docker-cn.com']);
    expect(podOf(manifests, 'DaemonSet').containers[0].volumeMounts).toMatchObject([
      { mountPath: values.nodeConfig },
      { mountPath: `${values.dataDir}/` },
    ]);
  });

  it.each(Object.values(NodeMirrorMode))('the node-mirror: %s, below the mounted root of the node', (mode) => {
    const scope = chart();
    new NodeMirrorJob(scope, 'mirror', { image: 'example/node-mirror:1', nodes: ['w1'], mode });
    const [container] = podOf(manifestsOf(scope), 'Job').containers;
    const values = parseCommand(NODE_MIRROR, argumentsOf(container, {}), { env: {} });
    expect(values.argument).toBe(mode);
    expect(container.volumeMounts).toEqual([{ name: 'host', mountPath: values.hostRoot }]);
    expect(values.mirror.href).toBe('http://127.0.0.1:65001/');
    expect(values.runtime).toEqual(['auto']);
    expect(values.registry).toEqual(['docker.io=https://registry-1.docker.io']);
  });

  it('the container that configures runtimes: the ports of the df-daemon beside it, the files that both mount', () => {
    const manifests = install({
      daemon: {
        mirrorPort: 7001,
        opsPort: 7003,
        configureRuntime: { image: 'a', startupTaint: 'dragonfly.io/not-ready' },
      },
    });
    const [daemon, mirror] = podOf(manifests, 'DaemonSet').containers as Container[] as [Container, Container];
    const values = parseCommand(NODE_MIRROR, argumentsOf(mirror, {}), {
      env: envOf(mirror, { 'spec.nodeName': 'w1' }),
    });
    expect(values).toMatchObject({
      argument: 'watch',
      removeTaint: 'dragonfly.io/not-ready',
      nodeName: 'w1',
      readyz: 'http://127.0.0.1:7003/readyz',
      restart: false,
    });
    expect(values.mirror.port).toBe('7001');
    expect(mirror.volumeMounts).toEqual([
      { name: 'host', mountPath: values.hostRoot },
      { name: 'runtime-state', mountPath: dirname(`${values.onFile}`) },
      { name: 'token', mountPath: values.serviceAccount, readOnly: true },
    ]);
    expect(daemon.volumeMounts).toContainEqual({
      name: 'runtime-state',
      mountPath: dirname(`${values.onFile}`),
      readOnly: true,
    });
    expect(JSON.stringify(daemon)).toContain(`r('${values.onFile}','utf8')`);
    expect(JSON.stringify(daemon.volumeMounts)).not.toContain('token');
  });

  it('the node-mirror takes what synth lets pass of dockerd: hosts, ports, networks and a proxy without its slash', () => {
    const scope = chart();
    const insecureRegistries = [
      'a',
      'A.example.com:65535',
      '10.0.0.1:1',
      '[fd00::1]',
      '[fd00::1]:5000',
      '10.0.0.0/8',
      'fd00::/64',
    ];
    const docker = { insecureRegistries, proxy: 'HTTP://Proxy.example.com:3128/' };
    new NodeMirrorJob(scope, 'mirror', { image: 'example/node-mirror:1', nodes: ['w1'], restart: true, docker });
    const [container] = podOf(manifestsOf(scope), 'Job').containers;
    const values = parseCommand(NODE_MIRROR, argumentsOf(container, {}), { env: {} });
    expect(values.dockerInsecureRegistry).toEqual(insecureRegistries.map((one) => one.toLowerCase()));
    expect(values.dockerProxy?.href).toBe('http://proxy.example.com:3128/');
    expect(runtimesOf(values).map(({ name }) => name)).toContain('docker');
  });

  it('a preheat: its images, platforms, supernodes and the user from the mounted Secret', () => {
    const scope = chart();
    new PreheatJob(scope, 'preheat', {
      image: 'a',
      images: ['nginx:1', 'redis:7'],
      supernodes: ['seed', 'seed2:9000'],
      platforms: ['linux/arm64', 'linux/arm/v7'],
      credentialsSecret: 'user',
      timeout: Duration.minutes(90),
    });
    const containers = podOf(manifestsOf(scope), 'Job').containers as Container[];
    const read = containers.map((container) =>
      parseCommand(DFGET_PREHEAT, argumentsOf(container, { REGISTRY_USER: 'me' }), { env: {}, readFile: NO_FILES }),
    );
    expect(read.map(({ argument }) => argument)).toEqual(['nginx:1', 'redis:7']);
    expect(read[0]).toMatchObject({
      platform: ['linux/arm64', 'linux/arm/v7'],
      node: [{ host: 'seed' }, { host: 'seed2', port: 9000 }],
      username: 'me',
      timeout: 5_400_000,
    });
    expect(dirname(`${read[0]?.passwordFile}`)).toBe('/etc/dragonfly/credentials');
    expect(containers[0]?.volumeMounts).toEqual([
      { name: 'credentials', mountPath: '/etc/dragonfly/credentials', readOnly: true },
    ]);
  });
});

// One of more than 2^31 - 1 ms runs out at once.
it.each(COMMANDS)('no time of $name is longer than a timer of Node can run', ({ flags, lists = {} }) => {
  const values = [flags, ...Object.values(lists).map(({ fields }) => fields)].flatMap((some) => Object.entries(some));
  const times = values.filter(([, { type }]) => type === 'duration' || type === 'seconds');
  expect(times.filter(([, { max = Infinity }]) => max >= 2 ** 31).map(([name]) => name)).toEqual([]);
});
