import { once } from 'node:events';
import { connect } from 'node:net';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';

import { hostAndPort, throughProxy } from '@cdk8s-dragonfly/origin';
import type { Outward } from '@cdk8s-dragonfly/origin';

/** How long a tunnel may be still when the daemon stops, in milliseconds. */
const STILL_AT_STOP = 1000;

/** Limits of a tunnel, in milliseconds. */
export interface TunnelLimits {
  readonly connect: number;
  /** Without a byte either way. */
  readonly idle: number;
}

/** The way to the far end of a tunnel. */
export interface TunnelWay {
  /** Resolves the host and refuses what may not be reached. */
  readonly lookup: LookupFunction;
  /** By which a proxy of our own may lead there. */
  readonly outward: Outward;
}

/**
 * Opens the far end of a tunnel.
 *
 * @throws Error with the system's `code`, or what `lookup` throws; an Error when it takes too long.
 */
export async function openFarEnd(target: URL, { lookup, outward }: TunnelWay, limits: TunnelLimits): Promise<Duplex> {
  const proxy = outward.proxies?.for(target);
  if (proxy !== undefined) {
    return throughProxy(proxy, hostAndPort(target), { connectTimeout: limits.connect, trust: outward.trust });
  }
  const far = connect({
    host: target.hostname.replace(/^\[|\]$/g, ''),
    port: Number(target.port === '' ? 443 : target.port),
    lookup,
    allowHalfOpen: true,
    noDelay: true,
  });
  const timer = setTimeout(() => far.destroy(new Error(`no connection within ${limits.connect} ms`)), limits.connect);
  try {
    await once(far, 'connect');
    return far;
  } finally {
    clearTimeout(timer);
  }
}

/** Bytes that go both ways unread, as fast as the slower end takes them. */
export class Tunnel {
  /** Resolves when both ends are closed. */
  readonly ended: Promise<void>;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    near: Duplex,
    private readonly far: Duplex,
    { idle }: TunnelLimits,
  ) {
    const [nearClosed, farClosed] = [near, far].map(
      (end) => new Promise<void>((resolve) => end.once('close', resolve)),
    );
    this.ended = Promise.all([nearClosed, farClosed]).then(() => undefined);
    this.limit(idle);
    for (const end of [near, far]) end.on('data', () => this.timer?.refresh());
    closeTogether(near, far);
    closeTogether(far, near);
    near.pipe(far);
    far.pipe(near);
    void this.ended.then(() => clearTimeout(this.timer));
  }

  /** Ends it as soon as nothing has moved for a moment. */
  windDown(): void {
    this.limit(STILL_AT_STOP);
  }

  /** Ends it at once. */
  cut(): void {
    this.far.destroy();
  }

  private limit(still: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.cut(), still);
  }
}

/** When one end is gone, the other goes too, but not before what it was sent has left. */
function closeTogether(gone: Duplex, other: Duplex): void {
  gone.on('error', () => gone.destroy());
  gone.once('close', () => {
    if (other.writableEnded && !other.writableFinished) other.once('finish', () => other.destroy());
    else other.destroy();
  });
}
