import { ContainerRuntime } from '../container-runtime';
import { NODE_MIRROR } from '../contract/index';
import type { DockerConfiguration } from '../docker-props';
import { isCidr, isHost, isPort } from './checks';
import { loopbackPort } from './mirror-loop';
import { checkUrl } from './registry';
import type { RegistrySpec } from './registry';

/** What dockerd is given beside the mirror, by the names of the contract. */
export interface DockerSpec {
  readonly dockerInsecureRegistry?: string[];
  readonly dockerProxy?: string;
}

/** What else is said of the node-mirror that is to do it. */
interface DockerSurroundings {
  readonly runtimes: readonly string[];
  readonly restart: boolean;
  readonly registries: readonly RegistrySpec[];
}

/** What else is said of the df-daemon that dockerd asks through. */
interface OwnProxy {
  readonly mirrorPort: number;
  readonly isProxy: boolean;
  /** By prop: the images of the pod, with how they are pulled. */
  readonly images: Readonly<Record<string, { readonly image: string; readonly imagePullPolicy: string }>>;
}

/**
 * Props checked, with what stands beside them.
 *
 * @param parent the way to the prop `docker` and those beside it: empty, or ending in a dot
 * @throws Error naming the prop, the value and the fix: no docker among the runtimes or docker.io among the registries, without both of which a
 *   node-mirror leaves dockerd alone; what dockerd does not take; a proxy without `restart`.
 */
export function dockerSpec(
  parent: string,
  props: DockerConfiguration | undefined,
  { runtimes, restart, registries }: DockerSurroundings,
): DockerSpec {
  if (props === undefined) {
    return {};
  }
  const prop = `${parent}docker`;
  if (![ContainerRuntime.DOCKER, ContainerRuntime.AUTO].some(({ name }) => runtimes.includes(name))) {
    throw new Error(
      `${prop} has nothing to do: ${parent}runtimes is ${runtimes.join(', ')}; add ContainerRuntime.DOCKER, or leave out ${prop}.`,
    );
  }
  if (!registries.some(({ host }) => host === 'docker.io')) {
    throw new Error(
      `${prop} has nothing to do: dockerd is left alone where registries is without docker.io, since it asks mirrors for no other; ` +
        `add { url: 'https://registry-1.docker.io' }, or leave out ${prop}.`,
    );
  }
  const { insecureRegistries, proxy } = props;
  if (proxy !== undefined && !restart) {
    throw new Error(
      `${prop}.proxy needs ${parent}restart: true, since dockerd reads its proxy at its start alone; or leave out the proxy.`,
    );
  }
  return {
    ...(insecureRegistries === undefined
      ? {}
      : { dockerInsecureRegistry: checkInsecureRegistries(`${prop}.insecureRegistries`, insecureRegistries) }),
    ...(proxy === undefined ? {} : { dockerProxy: checkProxyUrl(`${prop}.proxy`, proxy) }),
  };
}

/**
 * Refuses dockerd by name where no registry is docker.io: a node-mirror that is told of it would refuse each time, and fail.
 *
 * @param parent as of {@link dockerSpec}
 * @throws Error naming the props and the fix.
 */
export function checkDockerHub(
  parent: string,
  runtimes: readonly string[],
  registries: readonly Pick<RegistrySpec, 'host'>[],
): void {
  if (runtimes.includes(ContainerRuntime.DOCKER.name) && !registries.some(({ host }) => host === 'docker.io')) {
    throw new Error(
      `${parent}runtimes has ContainerRuntime.DOCKER and registries no docker.io, and dockerd asks mirrors for no other: ` +
        `add { url: 'https://registry-1.docker.io' }, or leave out ContainerRuntime.DOCKER.`,
    );
  }
}

/**
 * Refuses that dockerd asks through the df-daemon of the same pod what would not come through the swarm, or what the pod itself is made of.
 *
 * @throws Error naming the prop and the fix.
 */
export function checkOwnProxy(prop: string, proxy: string | undefined, own: OwnProxy): void {
  if (proxy === undefined || loopbackPort(proxy) !== own.mirrorPort) {
    return;
  }
  if (!own.isProxy) {
    throw new Error(
      `${prop} "${proxy}" is this df-daemon, which passes all on past the swarm without its prop proxy: add proxy: {}, or leave out ${prop}.`,
    );
  }
  for (const [name, { image, imagePullPolicy }] of Object.entries(own.images)) {
    if (imagePullPolicy === 'Always') {
      throw new Error(
        `${prop} "${proxy}" is this df-daemon, and ${name} "${image}" is pulled at each start: after a crash of the node dockerd would ask ` +
          `for it through the proxy that it is to start. Give it a tag other than latest, or a digest, and no ImagePullPolicy.ALWAYS.`,
      );
    }
  }
}

function checkInsecureRegistries(prop: string, values: string[]): string[] {
  if (values.length === 0) {
    throw new Error(`${prop} is empty: name at least one registry or network, or leave it out.`);
  }
  const names = values.map((value) => value.toLowerCase());
  names.forEach((name, i) => {
    if (!isInsecureRegistry(name)) {
      throw new Error(
        `${prop}[${i}] "${values[i] ?? ''}" is no registry for dockerd: use HOST[:PORT] without scheme and path, such as ` +
          `registry.example.com:5000, or a network, such as 10.0.0.0/8.`,
      );
    }
    const first = names.indexOf(name);
    if (first !== i) {
      throw new Error(`${prop} names "${name}" twice, at ${first} and ${i}: name it once.`);
    }
  });
  return names;
}

/** An address with a zone, which Node takes for an address, is none to dockerd. */
function isInsecureRegistry(text: string): boolean {
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text) ?? [];
  return !text.includes('%') && (isCidr(text) || (isHost(host) && (port === undefined || isPort(port))));
}

/** Nothing of such a URL has an at sign but credentials, of which nothing is shown. */
function checkProxyUrl(prop: string, value: string): string {
  if (value.includes('@')) {
    throw new Error(
      `${prop} "${value.replace(/^([a-z]+:\/\/)?.*@/is, '$1***@')}" has credentials, which would stand in the manifest: leave them out; a proxy ` +
        `that needs them is one for the df-daemon (HTTPS_PROXY in its env).`,
    );
  }
  return checkUrl(prop, value, NODE_MIRROR.flags.mirror.default);
}
