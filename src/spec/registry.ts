import { isIPv6 } from 'node:net';
import type { CertificateAuthority, Registry } from '../registry';
import { isHostName, isPort } from './checks';

const DOCKER_HUB_URL = 'https://registry-1.docker.io';
/** What a df-daemon mirrors when nothing else is said. */
export const DOCKER_HUB: Registry = { url: DOCKER_HUB_URL };

const EXAMPLE = 'https://registry.example.com:5000';
/** The names of Docker Hub. Image names and container runtimes say the first, which itself serves a web site. */
const DOCKER_HUB_NAMES = ['docker.io', 'registry-1.docker.io', 'index.docker.io'];

/** A registry behind the mirror. */
export interface RegistrySpec {
  /** The host as it stands in image names, which containerd sends as `ns`. */
  readonly host: string;
  /** The scheme, host and port that its content is fetched from, without a slash at the end. */
  readonly url: string;
  /** Whether the user named `host`, rather than leaving it to the URL. */
  readonly named: boolean;
  readonly ca: CertificateAuthority | undefined;
  readonly clientCertificateSecret: string | undefined;
  readonly credentialsSecret: string | undefined;
  readonly tokenServers: string[] | undefined;
}

/**
 * Checks registries. The first is the one for requests that name no registry.
 *
 * @throws Error naming the prop, the value and the fix: no registry, no http(s) URL, more in it than scheme, host and port,
 *   a host that is no DNS name, two registries for one host.
 */
export function parseRegistries(prop: string, values: Registry[]): RegistrySpec[] {
  if (values.length === 0) {
    throw new Error(`${prop} is empty: name at least one registry, such as { url: '${EXAMPLE}' }.`);
  }
  const registries: RegistrySpec[] = [];
  values.forEach((value, i) => {
    const registry = parseRegistry(`${prop}[${i}]`, value);
    const first = registries.findIndex((other) => other.host === registry.host);
    if (first !== -1) {
      throw new Error(`${prop} has two registries for "${registry.host}", at ${first} and ${i}: remove one.`);
    }
    registries.push(registry);
  });
  return registries;
}

/**
 * The value of `--registry` or its environment variable: the first by its URL alone if it has no name of its own. A single URL would be
 * docker.io too, which is what the classic installation means by it; anywhere else its images must not pass for those of Docker Hub.
 */
export function renderRegistries(registries: RegistrySpec[], classic = false): string {
  const alone = registries.length === 1 && !classic;
  return registries
    .map(({ host, url, named }, i) => {
      const plain = i === 0 && !named && (!alone || host === 'docker.io');
      return plain ? url : `${host}=${url}`;
    })
    .join(',');
}

/** Registries as `HOST=URL`, as a node-mirror takes them. */
export function namedRegistries(registries: RegistrySpec[]): string[] {
  return registries.map(({ host, url }) => `${host}=${url}`);
}

/** The hosts that the supernode has to fetch from, as `HOST:PORT`. Each once, in the order of the registries. */
export function originsOf(registries: RegistrySpec[]): string[] {
  return [...new Set(registries.map(originOf))];
}

/** The host that a registry is fetched from, as `HOST:PORT`. */
export function originOf({ url }: RegistrySpec): string {
  const { hostname, port, protocol } = new URL(url);
  const defaultPort = protocol === 'https:' ? '443' : '80';
  return `${hostname}:${port === '' ? defaultPort : port}`;
}

/**
 * Refuses what the classic installation has no place for.
 *
 * @throws Error naming the prop and what to do.
 */
export function checkClassicRegistries(prop: string, registries: Registry[]): void {
  registries.forEach((registry, i) => {
    const more = Object.entries(registry).find(([name, value]) => value !== undefined && !CLASSIC.includes(name));
    if (more !== undefined) {
      throw new Error(
        `${prop}[${i}].${more[0]} has no place in the classic installation: leave out ${more[0]} or classic.`,
      );
    }
  });
}

const CLASSIC = ['url', 'host'];

/**
 * A URL of scheme, host and port alone, without a slash at the end.
 *
 * @throws Error naming the prop, the value and the fix, as {@link parseRegistries}.
 */
export function checkUrl(prop: string, value: string, example: string): string {
  return parseUrl(`${prop} "${withoutCredentials(value)}"`, value, `write it such as ${example}`).origin;
}

function parseRegistry(what: string, registry: Registry): RegistrySpec {
  const { url: text, host: given } = registry;
  const shown = `${what}.url "${withoutCredentials(text)}"`;
  const url = parseUrl(shown, text, `write it such as ${EXAMPLE}`);
  const name = given?.toLowerCase();
  if (name !== undefined && !isRegistryHost(name)) {
    throw new Error(`${what}.host "${name}" is no registry: use HOST[:PORT] as it stands in image names.`);
  }
  const host = name ?? url.host;
  return {
    host: DOCKER_HUB_NAMES.includes(host) ? 'docker.io' : host,
    url: url.origin === 'https://docker.io' ? DOCKER_HUB_URL : url.origin,
    named: name !== undefined,
    ca: registry.ca,
    clientCertificateSecret: registry.clientCertificateSecret,
    credentialsSecret: registry.credentialsSecret,
    tokenServers: registry.tokenServers,
  };
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//***@');
}

function parseUrl(shown: string, text: string, fix: string): URL {
  if (!/^https?:\/\//i.test(text)) {
    throw new Error(`${shown} is no http or https URL: ${fix}.`);
  }
  const [, port] = /^[^/]*\/\/[^/?#]*:([0-9]+)(?:[/?#]|$)/.exec(text) ?? [];
  if (port !== undefined && !isPort(port)) {
    throw new Error(`${shown} has the port ${port}: use 1 to 65535.`);
  }
  if (!URL.canParse(text)) {
    throw new Error(`${shown} is no URL: ${fix}.`);
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw new Error(
      `${shown} has credentials: leave them out; container runtimes send their own, and others come from credentialsSecret.`,
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new Error(`${shown} has more than scheme, host and port: leave the rest out, such as ${url.origin}.`);
  }
  if (!isHostName(url.hostname) && !isIPv6(url.hostname.slice(1, -1))) {
    throw new Error(`${shown} has the host "${url.hostname}": use a DNS name, an IPv4 address or [IPv6].`);
  }
  return url;
}

function isRegistryHost(text: string): boolean {
  const [, host = '', port] = /^([^:]*)(?::(.*))?$/.exec(text) ?? [];
  return isHostName(host) && (port === undefined || isPort(port));
}
