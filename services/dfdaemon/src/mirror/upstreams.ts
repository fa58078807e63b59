import { UsageError, withoutSecrets } from '@cdk8s-dragonfly/command';

/** The registries behind the mirror. */
export interface Upstreams {
  /** Asked when the client names none: docker and podman never do. The first `--registry`. */
  readonly default: URL;
  /** By `host` or `host:port` as containerd writes it in `?ns=`, in lower case. */
  readonly byHost: ReadonlyMap<string, URL>;
}

/**
 * The names of Docker Hub. An image `docker.io/…` is kept at registry-1.docker.io; index.docker.io, the default of Dragonfly
 * 0.x, is the older name of the same service.
 */
const DOCKER_HUB = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/**
 * Host names that are no registries although images are named after them, and the registry that has those images.
 * https://docker.io redirects to a web site. The two other names of Docker Hub serve the registry API themselves, so they are
 * asked as given: a supernode that allows one host by name must not be sent to another.
 */
const SERVED_BY: ReadonlyMap<string, string> = new Map([['docker.io', 'registry-1.docker.io']]);

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
const SHAPE = 'a registry is given as URL or HOST=URL, such as https://registry.example.com or ghcr.io=https://ghcr.io';

/**
 * Reads the values of `--registry`. A plain URL is known by its own host too; the names of Docker Hub mean one registry. Where
 * a HOST=URL names a host that a plain URL has too, HOST=URL wins for requests that say `ns=HOST`.
 *
 * A plain URL that is the only registry is docker.io too: so Dragonfly 0.x is told of its mirror of Docker Hub, to which it sends every
 * request, whatever registry it names. With a second registry, or a HOST=URL, docker.io is what they say: an image of a private
 * registry must never be taken for one of Docker Hub.
 *
 * @throws UsageError when there is none, a value is not a plain http or https URL, or a host is given two registries.
 */
export function parseUpstreams(values: readonly string[]): Upstreams {
  const named = new Map<string, URL>();
  const implied = new Map<string, URL>();
  let first: URL | undefined;
  for (const value of values) {
    const { host, url } = parseRegistry(value);
    first ??= url;
    if (host === undefined) {
      for (const alias of spellings(url.host, url.protocol)) setOnce(implied, alias, url, false);
    } else {
      for (const alias of spellings(host, url.protocol)) setOnce(named, alias, url, true);
    }
  }
  if (first === undefined) throw new UsageError(`--registry is missing: ${SHAPE}`);
  if (values.length === 1 && named.size === 0) {
    for (const alias of spellings('docker.io', 'https:')) setOnce(implied, alias, first, false);
  }
  return Object.freeze({ default: first, byHost: new Map([...implied, ...named]) });
}

/**
 * The registry that a request goes to.
 *
 * @param ns the registry that the client named; without one the default answers
 * @returns undefined when this mirror does not know the registry.
 */
export function pickUpstream(upstreams: Upstreams, ns: string | undefined): URL | undefined {
  return ns === undefined || ns === '' ? upstreams.default : upstreams.byHost.get(ns.toLowerCase());
}

function parseRegistry(value: string): { readonly host: string | undefined; readonly url: URL } {
  const text = value.trim();
  const equals = text.indexOf('=');
  const plain = equals < 0 || /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  if (plain) return { host: undefined, url: parseUrl(text) };
  const host = text.slice(0, equals).trim().toLowerCase();
  if (!HOST.test(host)) {
    throw new UsageError(`--registry: ${JSON.stringify(host)} is not a host name with an optional port: ${SHAPE}`);
  }
  return { host, url: parseUrl(text.slice(equals + 1).trim()) };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) {
    throw new UsageError(`--registry: ${JSON.stringify(withoutSecrets(text))} is not an absolute URL: ${SHAPE}`);
  }
  const shown = JSON.stringify(`${url.protocol}//${url.host}${url.pathname}`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UsageError(`--registry: ${shown} must begin with http:// or https://`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`--registry: ${shown} must not hold credentials: those of each pull are passed on`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw new UsageError(`--registry: ${shown} must have neither query nor fragment: give scheme and host only`);
  }
  if (url.pathname !== '/') {
    throw new UsageError(`--registry: ${shown} must have no path: runtimes ask for /v2/… at the root of a registry`);
  }
  const servedBy = SERVED_BY.get(url.hostname);
  if (servedBy !== undefined) url.hostname = servedBy;
  return url;
}

/** How clients may write `host`: with and without the port where it is the scheme's own, and by its other names. */
function spellings(host: string, protocol: string): readonly string[] {
  const port = protocol === 'https:' ? ':443' : ':80';
  const bare = host.endsWith(port) ? host.slice(0, -port.length) : host;
  if (/:[0-9]+$/.test(bare)) return [bare];
  const hosts = DOCKER_HUB.includes(bare) ? DOCKER_HUB : [bare];
  return hosts.flatMap((name) => [name, `${name}${port}`]);
}

function setOnce(map: Map<string, URL>, host: string, url: URL, strict: boolean): void {
  const before = map.get(host);
  if (before === undefined) {
    map.set(host, url);
  } else if (strict && before.href !== url.href) {
    throw new UsageError(`--registry: ${host} is given two registries, ${before.origin} and ${url.origin}: keep one`);
  }
}
