import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Chart, Duration, Size, Yaml } from 'cdk8s';
import {
  ContainerRuntime,
  Dragonfly,
  LogLevel,
  NodeMirrorJob,
  NodeMirrorMode,
  Placement,
  Preset,
  Storage,
} from '../../src';
import type { Settings } from './settings';

/** The namespace of the test's own objects. */
export const TEST_NAMESPACE = 'dragonfly-test';
/** The namespace of the installation, where it is not the classic one. */
export const NAMESPACE = 'dragonfly-system';
/** The taint of new nodes, with the preset `ha`. */
export const STARTUP_TAINT = 'dragonfly.io/not-ready';
/** The test's registry, as pods may name it. */
const ORIGIN_BY_NAME = `http://origin.${TEST_NAMESPACE}.svc:5000`;
/** How many supernodes the preset `ha` has. */
export const HIGHLY_AVAILABLE = 2;
const SIGNING_KEY_SECRET = 'supernode-signing-key';

/** An object, as far as the test reads it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  /** The rest is for the cluster. */
  readonly [part: string]: unknown;
}

const inPod = (file: string): string => readFileSync(join(__dirname, 'in-pod', file), 'utf8');

/** The registry that counts, and the scripts for pods. */
export function testObjects({ images, layerBytes }: Settings): KubeObject[] {
  const metadata = { name: 'origin', namespace: TEST_NAMESPACE };
  const labels = { app: 'origin' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: TEST_NAMESPACE } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'scripts', namespace: TEST_NAMESPACE },
      data: { 'origin.js': inPod('origin.js'), 'node-state.js': inPod('node-state.js') },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 5000 }] } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, labels },
      spec: {
        ...pod(images.dfdaemon, 'origin.js', []),
        containers: [
          {
            ...container(images.dfdaemon, 'origin.js', []),
            env: [{ name: 'LAYER_BYTES', value: `${layerBytes}` }],
            readinessProbe: { httpGet: { path: '/v2/', port: 5000 }, periodSeconds: 1 },
          },
        ],
      },
    },
  ];
}

/** A pod that tells a node's state, and makes or removes folders there. */
export function nodeStatePod(settings: Settings, name: string, node: string, args: readonly string[]): KubeObject {
  const image = settings.images.dfdaemon;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: TEST_NAMESPACE },
    spec: {
      ...pod(image, 'node-state.js', args),
      nodeName: node,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          ...container(image, 'node-state.js', args),
          securityContext: { privileged: true, runAsUser: 0 },
          volumeMounts: [
            { name: 'scripts', mountPath: '/scripts' },
            { name: 'host', mountPath: '/host' },
          ],
        },
      ],
      volumes: [
        { name: 'scripts', configMap: { name: 'scripts' } },
        { name: 'host', hostPath: { path: '/' } },
      ],
    },
  };
}

/** A pod of an image that nobody has, on one node. */
export function pullPod(name: string, node: string, image: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: TEST_NAMESPACE },
    spec: {
      nodeName: node,
      tolerations: [{ operator: 'Exists' }],
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [{ name: 'end', image, imagePullPolicy: 'Always' }],
    },
  };
}

/** What a run installs. */
export interface Installed {
  readonly objects: KubeObject[];
  readonly namespace: string;
}

/**
 * The installation, as a user's app would synthesize it.
 *
 * @param controlPlane whether the cluster has nodes of one
 * @param changed whether with another configuration, as it is rolled out later
 */
export function installation(
  settings: Settings,
  registry: string,
  { controlPlane, changed }: { readonly controlPlane: boolean; readonly changed: boolean },
): Installed {
  const chart = new Chart(new App({ outdir: '/nonexistent' }), 'dragonfly');
  const { dfdaemon, nodeMirror, supernode } = settings.images;
  const images = { supernodeImage: supernode, daemonImage: dfdaemon };
  const logLevel = changed ? LogLevel.DEBUG : LogLevel.INFO;
  // A classic installation names the URL alone, and means docker.io by it. It has little to change: here the same registry by its name.
  if (settings.preset === 'classic') {
    const { namespace } = new Dragonfly(chart, 'dragonfly', {
      ...Preset.classic(),
      ...images,
      registries: [{ url: changed ? ORIGIN_BY_NAME : registry }],
    });
    return { objects: objectsOf(chart), namespace };
  }
  const common = {
    ...images,
    registries: [{ url: registry, host: 'docker.io' }],
    namespace: NAMESPACE,
    createNamespace: true,
  };
  if (settings.preset === 'default') {
    new Dragonfly(chart, 'dragonfly', {
      ...common,
      supernode: controlPlane ? {} : { placement: Placement.ANY },
      daemon: { logLevel },
    });
    return { objects: objectsOf(chart), namespace: NAMESPACE };
  }
  new Dragonfly(chart, 'dragonfly', {
    ...common,
    supernode: {
      replicas: HIGHLY_AVAILABLE,
      placement: Placement.ANY,
      storage: Storage.emptyDir({ sizeLimit: Size.gibibytes(2) }),
      diskQuota: Size.gibibytes(1),
      signingKeySecret: SIGNING_KEY_SECRET,
      nodeCidrs: settings.nodeCidrs,
    },
    daemon: {
      logLevel,
      configureRuntime: {
        image: nodeMirror,
        restart: settings.restart,
        startupTaint: STARTUP_TAINT,
        interval: Duration.seconds(10),
      },
    },
  });
  return { objects: [...objectsOf(chart), signingKey()], namespace: NAMESPACE };
}

/** One for all supernodes of a run, however often it installs. */
const KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

function signingKey(): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: SIGNING_KEY_SECRET, namespace: NAMESPACE },
    stringData: { 'signing-key.pem': KEY },
  };
}

/** A node-mirror Job for each node, for the runtime that Kubernetes uses there. */
export function nodeMirrorJobs(
  settings: Settings,
  nodes: readonly { readonly name: string; readonly runtime: string }[],
  registry: string,
  mode: NodeMirrorMode,
): KubeObject[] {
  const chart = new Chart(new App({ outdir: '/nonexistent' }), 'node-mirror', { namespace: TEST_NAMESPACE });
  nodes.forEach(({ name, runtime }, i) => {
    const [scheme] = runtime.split(':');
    new NodeMirrorJob(chart, `job-${i}`, {
      image: settings.images.nodeMirror,
      nodes: [name],
      mode,
      name: `node-mirror-${mode}`,
      runtimes: [ContainerRuntime.of(scheme === 'cri-o' ? 'crio' : `${scheme}`)],
      registries: [{ url: registry, host: 'docker.io' }],
      restart: settings.restart,
      backoffLimit: 0,
    });
  });
  return objectsOf(chart);
}

/** Objects as `kubectl apply -f -` takes them. */
export function toYaml(objects: readonly object[]): string {
  return Yaml.stringify(...objects);
}

function objectsOf(chart: Chart): KubeObject[] {
  return chart.toJson() as KubeObject[];
}

function pod(image: string, script: string, args: readonly string[]): Record<string, unknown> {
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    containers: [container(image, script, args)],
    volumes: [{ name: 'scripts', configMap: { name: 'scripts' } }],
  };
}

function container(image: string, script: string, args: readonly string[]): Record<string, unknown> {
  return {
    name: 'node',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', `/scripts/${script}`, ...args],
    volumeMounts: [{ name: 'scripts', mountPath: '/scripts' }],
  };
}
