import { OriginError, TokenHosts, parseChallenge, publicUrl, readWhole } from '@cdk8s-dragonfly/origin';
import type { Challenge, OriginClient } from '@cdk8s-dragonfly/origin';
import { headerValues, isHeaderLine, jsonOf, withoutHeaders } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';
import { z } from 'zod';

import type { Credentials } from './order';

/** What access to a registry is got with. */
export interface AccessTools {
  readonly origin: Pick<OriginClient, 'open'>;
  /** Asks token servers that are not at the registry's own address; its rules are those of redirects. */
  readonly tokenServers: Pick<OriginClient, 'open'>;
  /** Which token servers may be shown credentials. Default: those that are known. */
  readonly tokenHosts?: TokenHosts | undefined;
}

/** The longest answer of a token server, in bytes. */
const LONGEST_ANSWER = 64 * 1024;

/** So often a refusal is answered with new credentials. */
const TRIES = 2;

const ANSWER = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** Header lines with their count, by which it is seen whether a refusal was of the newest ones. */
export interface Lines {
  readonly age: number;
  readonly lines: readonly HeaderLine[];
}

/**
 * What one order sends to its registry: the user's own header lines, and, when the registry refuses them, a token from the server that
 * it names (Distribution's token specification), or the user's name and password. Shared by all fetches of the order: a token is asked for once.
 */
export class RegistryAccess {
  private readonly basic: string | undefined;
  private current: Lines;
  private challenge: Challenge | undefined;
  private renewing: Promise<void> | undefined;

  constructor(
    private readonly tools: AccessTools,
    private readonly registry: URL,
    headers: readonly HeaderLine[],
    credentials: Credentials | undefined,
  ) {
    this.current = { age: 0, lines: headers };
    this.basic =
      basicOf(credentials) ?? headerValues(headers, 'authorization').find((value) => /^basic\s/i.test(value));
  }

  /** What to send now. */
  get headers(): Lines {
    return this.current;
  }

  /** Does something with the header lines; when the registry wants others, gets them and does it again. */
  async use<T>(what: (lines: readonly HeaderLine[]) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      const used = this.current;
      try {
        return await what(used.lines);
      } catch (error) {
        if (!(error instanceof OriginError) || error.status !== 401 || tries === TRIES) throw error;
        this.challenge = parseChallenge(error.challenge) ?? this.challenge;
        if (!(await this.renew(used, signal))) throw error;
      }
    }
  }

  /** The registry refused `used` for a resource: gets other lines. @returns false when there are none. */
  async renewFor(url: URL, used: Lines, signal: AbortSignal): Promise<boolean> {
    if (this.challenge === undefined && (await this.learn(url, used, signal))) return true;
    return this.renew(used, signal);
  }

  /** Looks what the registry asks for. @returns whether it takes these lines: then it refused somebody else's. */
  private async learn(url: URL, { lines }: Lines, signal: AbortSignal): Promise<boolean> {
    try {
      (await this.tools.origin.open({ url, headers: lines, end: 1 }, signal)).discard();
      return true;
    } catch (error) {
      if (!(error instanceof OriginError) || error.status !== 401) throw error;
      this.challenge = parseChallenge(error.challenge);
      return false;
    }
  }

  /** @throws Error when the token server cannot be asked or gives no token. */
  private async renew(used: Lines, signal: AbortSignal): Promise<boolean> {
    if (this.current.age > used.age) return true;
    const { challenge, basic } = this;
    if (challenge === undefined || (challenge.scheme === 'basic' && basic === undefined)) return false;
    this.renewing ??= this.authorize(challenge, signal).finally(() => (this.renewing = undefined));
    await this.renewing;
    return true;
  }

  private async authorize(challenge: Challenge, signal: AbortSignal): Promise<void> {
    const value = challenge.scheme === 'basic' ? (this.basic ?? '') : `Bearer ${await this.token(challenge, signal)}`;
    const lines: HeaderLine[] = [...withoutHeaders(this.current.lines, ['authorization']), ['Authorization', value]];
    this.current = { age: this.current.age + 1, lines };
  }

  private async token(challenge: Challenge & { readonly scheme: 'bearer' }, signal: AbortSignal): Promise<string> {
    const { realm, service, scope } = challenge;
    const { registry, basic } = this;
    const where = publicUrl(realm);
    const { tokenHosts = new TokenHosts() } = this.tools;
    if (basic !== undefined && !tokenHosts.mayBeShown(registry, [registry.host], realm)) {
      const why =
        realm.protocol === 'https:'
          ? `which is not known to belong to it: credentials are not sent there; --token-server ${registry.host}=${realm.host} of the supernode allows it`
          : 'and credentials are sent over https only';
      throw new Error(`the registry ${registry.host} names ${where} for its tokens, ${why}`);
    }
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const one of scope?.split(' ') ?? []) url.searchParams.append('scope', one);
    const client = url.origin === registry.origin ? this.tools.origin : this.tools.tokenServers;
    const headers: HeaderLine[] = basic === undefined ? [] : [['Authorization', basic]];
    try {
      const body = await readWhole(client, { url, headers }, LONGEST_ANSWER, signal);
      return tokenIn(body);
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`the token server ${where} of the registry ${registry.host} gave no token: ${why}`, {
        cause: error,
      });
    }
  }
}

function basicOf(credentials: Credentials | undefined): string | undefined {
  if (credentials === undefined) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64')}`;
}

function tokenIn(body: Buffer): string {
  const parsed = ANSWER.safeParse(jsonOf(body.toString('utf8')));
  const token = parsed.success ? (parsed.data.token ?? parsed.data.access_token ?? '') : '';
  // What it sent instead may hold a secret and is not quoted.
  if (token === '' || !isHeaderLine(['Authorization', `Bearer ${token}`])) throw new Error('it sent no token');
  return token;
}
