import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** How long a test waits for what a server does, in ms. */
const LIMIT = 60_000;

/** A connection on which a test writes what it likes. */
export class RawSocket {
  private received = '';

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')));
    // A reset is one of the ways in which a server closes.
    socket.on('error', () => undefined);
  }

  static async open(port: number): Promise<RawSocket> {
    const raw = new RawSocket(connect({ host: '127.0.0.1', port }));
    await once(raw.socket, 'connect', { signal: AbortSignal.timeout(LIMIT) });
    return raw;
  }

  get text(): string {
    return this.received;
  }

  /** The status of the first answer; 0: none yet. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.received)?.[1] ?? 0);
  }

  /** The JSON body of the only answer. */
  get body(): unknown {
    return JSON.parse(this.received.slice(this.received.indexOf('\r\n\r\n') + 4)) as unknown;
  }

  write(text: string): void {
    this.socket.write(text);
  }

  get(path: string): void {
    this.write(`GET ${path} HTTP/1.1\r\nHost: supernode\r\n\r\n`);
  }

  /** Resolves when the server has closed; answers how long that took in ms. */
  async closed(): Promise<number> {
    const began = performance.now();
    if (!this.socket.destroyed) await once(this.socket, 'close', { signal: AbortSignal.timeout(LIMIT) });
    return performance.now() - began;
  }

  /** Resolves when as many characters have come, or the server has closed. */
  async hasReceived(length: number): Promise<void> {
    const signal = AbortSignal.timeout(LIMIT);
    while (this.received.length < length && !this.socket.destroyed) {
      await Promise.race([once(this.socket, 'data', { signal }), once(this.socket, 'close', { signal })]);
    }
  }

  end(): void {
    this.socket.destroy();
  }
}
