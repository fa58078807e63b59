import { jsonOf } from '@cdk8s-dragonfly/protocol';
import { z } from 'zod';

/** What a registry is shown to let the daemon in. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

interface Entry {
  readonly host: string;
  /** The beginning of the repositories that it is for; empty: all. */
  readonly prefix: string;
  readonly credentials: RegistryCredentials;
}

const FILE = z.object({
  auths: z.record(
    z.string(),
    z.object({ auth: z.string().optional(), username: z.string().optional(), password: z.string().optional() }),
  ),
});

const DOCKER_HUB: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** Credentials by registry, as docker writes them into `config.json` and Kubernetes into Secrets of the type dockerconfigjson. Pure. */
export class DockerCredentials {
  private constructor(private readonly entries: readonly Entry[]) {}

  /** @throws Error, without a secret in its message, when the text is no such file. */
  static parse(text: string): DockerCredentials {
    const parsed = FILE.safeParse(jsonOf(text));
    if (!parsed.success)
      throw new Error('it is no docker config.json: it must be JSON with "auths": {"HOST": {"auth": …}}');
    const entries = Object.entries(parsed.data.auths).flatMap(([key, { auth, username, password }]): Entry[] => {
      const [user, secret] = auth === undefined || auth === '' ? [username, password] : pairOf(auth, key);
      // Entries that name a credential helper are empty: there is no helper here.
      if (user === undefined || secret === undefined) return [];
      const [host = '', ...path] = key.replace(/^https?:\/\//, '').split('/');
      // https://index.docker.io/v1/ is how docker names its Hub.
      const prefix = /^v[12]\/?$/.test(path.join('/')) ? '' : path.join('/').replace(/\/$/, '');
      return [{ host: hostOf(host), prefix, credentials: { username: user, password: secret } }];
    });
    return new DockerCredentials(entries.sort((one, two) => two.prefix.length - one.prefix.length));
  }

  /** @param hosts the names of the registry; @param repository undefined: whatever is for all of it */
  for(hosts: readonly string[], repository: string | undefined): RegistryCredentials | undefined {
    const wanted = hosts.map(hostOf);
    return this.entries.find(({ host, prefix }) => wanted.includes(host) && isBelow(repository, prefix))?.credentials;
  }

  /** Whether there are credentials for any of the registry's repositories. */
  knows(hosts: readonly string[]): boolean {
    const wanted = hosts.map(hostOf);
    return this.entries.some(({ host }) => wanted.includes(host));
  }
}

function isBelow(repository: string | undefined, prefix: string): boolean {
  if (prefix === '') return true;
  return repository === prefix || repository?.startsWith(`${prefix}/`) === true;
}

function hostOf(text: string): string {
  const host = text.toLowerCase().replace(/:443$/, '');
  return DOCKER_HUB.has(host) ? 'docker.io' : host;
}

function pairOf(auth: string, key: string): readonly [string, string] {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) throw new Error(`"auth" of ${JSON.stringify(key)} is no USER:PASSWORD in base64`);
  return [text.slice(0, colon), text.slice(colon + 1)];
}
