import { UsageError } from '@cdk8s-dragonfly/command';

/** A registry whose images are to come through the mirror. */
export interface Registry {
  /** As image names spell it, with its port if it has one; `_default`: every one without a configuration of its own. */
  readonly host: string;
  /** Where it really is; absent for `_default`. */
  readonly server?: string;
}

/** The name by which containerd means every registry. */
export const ANY_REGISTRY = '_default';

const HOST = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[1-9]\d{0,4})?$/;
const DOCKER_HUB = 'https://registry-1.docker.io';

/** Reads one `HOST[=URL]`. @throws UsageError when it is none */
function readRegistry(given: string): Registry {
  const [host = '', ...rest] = given.split('=');
  const url = rest.join('=');
  if (host !== ANY_REGISTRY && !HOST.test(host)) {
    throw new UsageError(
      `--registry '${given}' does not begin with a registry as image names spell it, such as docker.io or registry.example.com:5000 (or ${ANY_REGISTRY})`,
    );
  }
  if (rest.length === 0) {
    if (host === ANY_REGISTRY) return { host };
    return { host, server: host === 'docker.io' ? DOCKER_HUB : `https://${host}` };
  }
  if (host === ANY_REGISTRY) {
    throw new UsageError(
      `--registry '${given}': ${ANY_REGISTRY} stands for many registries and has no URL; give it without one`,
    );
  }
  if (!/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(url) || !URL.canParse(url)) {
    throw new UsageError(
      `--registry '${given}': after = comes an http or https URL without user, query and fragment, such as https://registry-1.docker.io`,
    );
  }
  return { host, server: url.replace(/\/+$/, '') };
}

/** Reads the registries of a command line. @throws UsageError for what is none, or stands twice */
export function readRegistries(given: readonly string[]): readonly Registry[] {
  const registries = given.map(readRegistry);
  const hosts = registries.map(({ host }) => host);
  const twice = hosts.find((host, index) => hosts.indexOf(host) < index);
  if (twice !== undefined) throw new UsageError(`--registry names ${twice} twice: give each registry once`);
  return registries;
}
