import { parseArgs } from 'node:util';

/** What a run is told. */
export interface Settings {
  readonly kubectl: string;
  readonly images: { readonly supernode: string; readonly dfdaemon: string; readonly nodeMirror: string };
  readonly preset: 'default' | 'classic';
  readonly layerBytes: number;
}

const HELP = `npm run test:k8s -- [flags]

Installs the synthesized manifests on the cluster of KUBECONFIG, pulls images through them on every node, changes the runtimes of the
nodes and gives them back, and removes everything again.

The cluster must offer: nodes of one architecture (amd64 or arm64), hostPath, privileged pods, Services that the nodes themselves
reach, one node at least that takes pods, and the three images, pullable or already on the nodes.

  --supernode IMAGE, --dfdaemon IMAGE, --node-mirror IMAGE   the images. Required.
  --load 'COMMAND'     run once for each image as COMMAND IMAGE, such as 'kind load docker-image'
  --kubectl 'COMMAND'  kubectl with arguments of its own. Default: kubectl
  --preset NAME        default or classic. Default: default
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
      'layer-mib': { type: 'string', default: '8' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return undefined;
  }
  const { supernode, dfdaemon, 'node-mirror': nodeMirror, load, preset } = values;
  if (supernode === undefined || dfdaemon === undefined || nodeMirror === undefined) {
    throw new Error('--supernode, --dfdaemon and --node-mirror name the three images: give all of them.');
  }
  if (preset !== 'default' && preset !== 'classic') {
    throw new Error(`--preset is "${preset}": use default or classic.`);
  }
  const mib = Number(values['layer-mib']);
  if (!Number.isInteger(mib) || mib < 1 || mib > 1024) {
    throw new Error(`--layer-mib is "${values['layer-mib']}": use 1 to 1024.`);
  }
  return {
    kubectl: values.kubectl,
    images: { supernode, dfdaemon, nodeMirror },
    preset,
    layerBytes: mib * 1024 * 1024,
    ...(load === undefined ? {} : { load }),
  };
}
