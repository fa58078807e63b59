import { formatAddress } from '@cdk8s-dragonfly/command';
import { HOLDINGS_PATH, REPORTS_PATH, SESSION_KEY_HEADER } from '@cdk8s-dragonfly/protocol';
import type { Holdings, PeerReport } from '@cdk8s-dragonfly/protocol';
import { Agent, request } from 'undici';

import type { LinkLog } from './link-log';
import { localAddressTowards } from './local-address';
import type { PeerIdentity, SupernodeAddress } from './registration';

export interface SupernodeRequestsOptions {
  readonly address: SupernodeAddress;
  readonly identity: PeerIdentity;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Aborts when the daemon stops. */
  readonly signal: AbortSignal;
  readonly log: LinkLog;
}

/** After so many milliseconds an answer tells nothing any more. */
export const LATEST_ANSWER = 30_000;

/** What a daemon asks and tells one supernode, in its own name. */
export class SupernodeRequests {
  readonly agent: Agent;
  private localIp: string | undefined;

  constructor(private readonly options: SupernodeRequestsOptions) {
    this.agent = new Agent({
      connect: { timeout: options.connectTimeout },
      // Pings bound the wait; this is for those that nobody waits for any more.
      headersTimeout: LATEST_ANSWER,
      bodyTimeout: 0,
    });
  }

  /** Of the supernode. */
  get name(): string {
    const { host, port } = this.options.address;
    return formatAddress(host, port);
  }

  /** Headers that show that we are who we say. */
  get proof(): Record<string, string> {
    return { [SESSION_KEY_HEADER]: this.options.identity.key };
  }

  url(path: string): URL {
    return new URL(path, `http://${this.name}`);
  }

  /** The address of this daemon as the supernode sees it, unless it was told another. */
  async ownIp(): Promise<string> {
    const { identity, address, connectTimeout } = this.options;
    this.localIp ??= identity.ip ?? (await localAddressTowards(address.host, address.port, connectTimeout));
    return this.localIp;
  }

  /** Tells that neighbours failed, so that the supernode names others. Never rejects: a supernode that does not hear of it is told by others. */
  async report(report: PeerReport): Promise<void> {
    try {
      await this.post(REPORTS_PATH, report, {});
    } catch (error) {
      this.options.log.debug({ supernode: this.name, err: error }, 'failed neighbours were not reported');
    }
  }

  /** @throws Error when it does not take it. */
  async tellHoldings(told: Holdings): Promise<void> {
    const { zone } = this.options.identity;
    await this.post(HOLDINGS_PATH, told, zone === undefined ? {} : { zone });
  }

  async stop(): Promise<void> {
    await this.agent.destroy();
  }

  private async post(path: string, document: object, more: Readonly<Record<string, string>>): Promise<void> {
    const { cid, port } = this.options.identity;
    const url = this.url(path);
    url.search = new URLSearchParams({ cid, ip: await this.ownIp(), port: `${port}`, ...more }).toString();
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.proof },
      body: JSON.stringify(document),
      dispatcher: this.agent,
      signal: this.options.signal,
    });
    await body.dump();
    if (statusCode !== 204) throw new Error(`supernode ${this.name} answered ${statusCode} to ${path}`);
  }
}
