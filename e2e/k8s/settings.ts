import { parseArgs } from 'node:util';

const PRESETS = ['default', 'classic', 'ha'] as const;
type Preset = (typeof PRESETS)[number];

/** What a run is told. */
export interface Settings {
  readonly kubectl: string;
  readonly images: { readonly supernode: string; readonly dfdaemon: string; readonly nodeMirror: string };
  readonly preset: Preset;
  /** The networks of the nodes, for the NetworkPolicy of the preset `ha`. */
  readonly nodeCidrs: string[];
  readonly layerBytes: number;
  /** Whether runtimes may be restarted for what they read at their start alone. */
  readonly restart: boolean;
}

/** What a run says first. */
export const NEEDS =
  'The cluster must offer: nodes of one architecture (amd64, arm64), privileged pods, hostPath, Services that nodes reach, our three images, ' +
  'and containerd with a config_path, or --restart.';

const HELP = `npm run test:k8s -- [flags]

Installs the synthesized manifests on the cluster of KUBECONFIG, pulls images through them on every node, changes the runtimes of the
nodes and gives them back, and removes everything again.

${NEEDS}

  --supernode IMAGE, --dfdaemon IMAGE, --node-mirror IMAGE   the images. Required.
  --load 'COMMAND'     run once for each image as COMMAND IMAGE, such as 'kind load docker-image'
  --kubectl 'COMMAND'  kubectl with arguments of its own. Default: kubectl
  --preset NAME        default; classic; or ha: two supernodes with a NetworkPolicy, and the runtimes configured by the DaemonSet,
                       with a startup taint on the workers. Default: default
  --node-cidr CIDR     a network of the nodes, for the NetworkPolicy; repeatable. Default: 0.0.0.0/0
  --restart            containerd without config_path in its configuration is given one, and is restarted; pods go on
  --layer-mib N        size of each of the three layers of an image. Default: 8
`;

/** @returns undefined when only help was asked for. @throws Error that says what is wrong on the command line */
export function readSettings(argv: readonly string[]): (Settings & { readonly load?: string }) | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', default: false },
      supernode: { type: 'string' },
      dfdaemon: { type: 'string' },
      'node-mirror': { type: 'string' },
      load: { type: 'string' },
      kubectl: { type: 'string', default: 'kubectl' },
      preset: { type: 'string', default: 'default' },
      'node-cidr': { type: 'string', multiple: true, default: ['0.0.0.0/0'] },
      restart: { type: 'boolean', default: false },
      'layer-mib': { type: 'string', default: '8' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return undefined;
  }
  const { supernode, dfdaemon, 'node-mirror': nodeMirror, load } = values;
  const preset = PRESETS.find((one) => one === values.preset);
  if (supernode === undefined || dfdaemon === undefined || nodeMirror === undefined) {
    throw new Error('--supernode, --dfdaemon and --node-mirror name the three images: give all of them.');
  }
  if (preset === undefined) {
    throw new Error(`--preset is "${values.preset}": use ${PRESETS.join(', ')}.`);
  }
  const mib = Number(values['layer-mib']);
  if (!Number.isInteger(mib) || mib < 1 || mib > 1024) {
    throw new Error(`--layer-mib is "${values['layer-mib']}": use 1 to 1024.`);
  }
  return {
    kubectl: values.kubectl,
    images: { supernode, dfdaemon, nodeMirror },
    preset,
    nodeCidrs: values['node-cidr'],
    layerBytes: mib * 1024 * 1024,
    restart: values.restart,
    ...(load === undefined ? {} : { load }),
  };
}
