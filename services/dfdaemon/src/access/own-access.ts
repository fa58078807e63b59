import { OriginError, TokenHosts, parseChallenge, publicUrl, readWhole } from '@cdk8s-dragonfly/origin';
import type { Challenge, FreshFiles, OriginClient, RelayAnswer, RelayRequest } from '@cdk8s-dragonfly/origin';
import { headerValues, isHeaderLine, jsonOf, withoutHeaders } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';

import type { Registry } from '../mirror/relay';
import type { DockerCredentials, RegistryCredentials } from './docker-credentials';

/** What {@link OwnAccess} is made of. */
export interface OwnAccessOptions {
  /** The way to the registries. */
  readonly registry: Registry;
  /** Asks token servers; its rules are those of redirects. */
  readonly tokenServers: Pick<OriginClient, 'open'>;
  /** By registry; the first that knows a repository counts. None: only what is public can be had. */
  readonly credentials: readonly Pick<FreshFiles<DockerCredentials>, 'get'>[];
  /** The names under which a registry is known, its own host first. */
  readonly namesOf: (registry: URL) => readonly string[];
  /** The registries that are configured: credentials go in clear, over plain HTTP, to those of them that are so configured, and to no other. */
  readonly configured: readonly URL[];
  /** Which hosts may be shown a registry's credentials for a token. Default: those that are known. */
  readonly tokenHosts?: TokenHosts;
  readonly log: { warn(fields: object, message: string): void };
}

/** The longest answer of a token server, in bytes. */
const LONGEST_ANSWER = 64 * 1024;
/** How long a token without `expires_in` is good, in seconds (Distribution's token specification). */
const GOOD_FOR = 60;
/** A token is asked for anew when this part of its time is left. */
const MARGIN = 0.1;
const NAME = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\/[^/?]+(?:\?.*)?$/;

const ANSWER = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().positive().optional(),
});

interface Pass {
  readonly value: string;
  /** Milliseconds of `performance.now()`. */
  readonly until: number;
}

/**
 * The daemon's own way into registries: with its credentials, or as anybody. The registry is asked as it is known to want it; a challenge
 * is answered once. Credentials go to the registry that they are for, and to a token server at its own host, or at one that is known or
 * configured to belong to it, over https; never to whatever host a challenge names.
 */
export class OwnAccess implements Registry {
  private readonly passes = new LRUCache<string, Pass>({ max: 10_000 });
  private readonly tokenHosts: TokenHosts;

  constructor(private readonly options: OwnAccessOptions) {
    this.tokenHosts = options.tokenHosts ?? new TokenHosts();
  }

  /** Whether the daemon has credentials for a registry. */
  isFor(registry: URL): boolean {
    const names = this.namesOf(registry);
    return this.options.credentials.some((file) => file.get().knows(names));
  }

  /** Header lines for a repository's blobs, in place of the client's own Authorization. */
  linesFor(registry: URL, name: string, lines: readonly HeaderLine[]): readonly HeaderLine[] {
    return this.withPass(lines, this.passOf(registry, name));
  }

  /** As the relay's, with the daemon's own Authorization in place of the client's. */
  async send(request: RelayRequest, signal: AbortSignal): Promise<RelayAnswer> {
    const { registry } = this.options;
    const name = NAME.exec(request.path)?.[1];
    const used = this.passOf(request.registry, name);
    const headers = this.withPass(request.headers, used);
    const answer = await registry.send({ ...request, headers }, signal);
    if (answer.status !== 401) return answer;
    const challenge = parseChallenge(headerValues(answer.headers, 'www-authenticate').join(', '));
    const pass = challenge === undefined ? undefined : await this.authorize(request.registry, name, challenge, signal);
    if (pass === undefined || pass.value === used?.value) return answer;
    answer.discard();
    this.passes.set(keyOf(request.registry, name), pass);
    return registry.send({ ...request, headers: this.withPass(request.headers, pass) }, signal);
  }

  private passOf(registry: URL, name: string | undefined): Pass | undefined {
    const pass = this.passes.get(keyOf(registry, name));
    return pass !== undefined && pass.until > performance.now() ? pass : undefined;
  }

  private withPass(lines: readonly HeaderLine[], pass: Pass | undefined): readonly HeaderLine[] {
    const others = withoutHeaders(lines, ['authorization']);
    return pass === undefined ? others : [...others, ['Authorization', pass.value]];
  }

  private async authorize(
    registry: URL,
    name: string | undefined,
    challenge: Challenge,
    signal: AbortSignal,
  ): Promise<Pass | undefined> {
    const { log } = this.options;
    const own = this.credentialsFor(registry, name);
    if (challenge.scheme === 'basic') {
      return own === undefined ? undefined : { value: basicOf(own), until: Infinity };
    }
    const shown = own !== undefined && this.mayBeShown(registry, challenge.realm) ? own : undefined;
    if (own !== undefined && shown === undefined) {
      const realm = publicUrl(challenge.realm);
      log.warn(
        { registry: registry.host, realm },
        'credentials are not sent to this token server; allow it with --token-server',
      );
    }
    try {
      return await this.token(challenge, shown, signal);
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      log.warn({ registry: registry.host, realm: publicUrl(challenge.realm), why }, 'no token');
      return undefined;
    }
  }

  private credentialsFor(registry: URL, name: string | undefined): RegistryCredentials | undefined {
    const names = this.namesOf(registry);
    for (const file of this.options.credentials) {
      const found = file.get().for(names, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** None for a registry to which credentials may not go: whoever stands between, or listens at that port, would have them. */
  private namesOf(registry: URL): readonly string[] {
    const { configured, namesOf } = this.options;
    const mayGo = registry.protocol === 'https:' || configured.some(({ origin }) => origin === registry.origin);
    return mayGo ? namesOf(registry) : [];
  }

  private mayBeShown(registry: URL, realm: URL): boolean {
    return this.tokenHosts.mayBeShown(registry, this.options.namesOf(registry), realm);
  }

  private async token(
    { realm, service, scope }: Challenge & { readonly scheme: 'bearer' },
    credentials: RegistryCredentials | undefined,
    signal: AbortSignal,
  ): Promise<Pass> {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const one of scope?.split(' ') ?? []) url.searchParams.append('scope', one);
    const headers: HeaderLine[] = credentials === undefined ? [] : [['Authorization', basicOf(credentials)]];
    const body = await readWhole(this.options.tokenServers, { url, headers }, LONGEST_ANSWER, signal);
    const parsed = ANSWER.safeParse(jsonOf(body.toString('utf8')));
    const { token, access_token: alias, expires_in: seconds = GOOD_FOR } = parsed.success ? parsed.data : {};
    const value = `Bearer ${token ?? alias ?? ''}`;
    // What it sent instead may hold a secret and is not quoted.
    if (value === 'Bearer ' || !isHeaderLine(['Authorization', value])) {
      throw new OriginError('protocol', 'it sent no token');
    }
    return { value, until: performance.now() + seconds * 1000 * (1 - MARGIN) };
  }
}

function keyOf(registry: URL, name: string | undefined): string {
  return `${registry.href} ${name ?? ''}`;
}

function basicOf({ username, password }: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}
