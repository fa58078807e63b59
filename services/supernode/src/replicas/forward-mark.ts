import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** The header of a request that comes from another replica. */
export const FORWARD_HEADER = 'x-dragonfly-forwarded';

/** A request to pass on. */
export interface Forwardable {
  /** Path and query, as they came. */
  readonly target: string;
  /** What is posted; absent: it is a GET. */
  readonly body?: string;
}

/**
 * The mark of requests that one replica passes on to another, so that none travels twice, and of its own questions. It follows from the
 * request and the signing key that the replicas share: nobody else can make one, and one that was overheard fits its own request only.
 */
export class ForwardMark {
  private readonly secret: Buffer;

  /** @param key the private key that attests blocks. */
  constructor(key: KeyObject) {
    const seed = key.export({ type: 'pkcs8', format: 'der' });
    this.secret = Buffer.from(hkdfSync('sha256', seed, '', 'dragonfly requests between replicas', 32));
  }

  /** The value of the header. */
  of(request: Forwardable): string {
    return this.digest(request).toString('hex');
  }

  /** Whether this request comes from a replica, by the header that came with it. */
  isOn(request: Forwardable, header: string | readonly string[] | undefined): boolean {
    if (typeof header !== 'string' || !/^[0-9a-f]{64}$/.test(header)) return false;
    return timingSafeEqual(Buffer.from(header, 'hex'), this.digest(request));
  }

  private digest({ target, body = '' }: Forwardable): Buffer {
    return createHmac('sha256', this.secret).update(`${target}\n`).update(body).digest();
  }
}
