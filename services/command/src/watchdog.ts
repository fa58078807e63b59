import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { ALL_ADDRESSES } from '@cdk8s-dragonfly/contract';
import type { Closeable } from './lifecycle';
import { NO_IPV6 } from './listen';

/** How long an event loop may stand still before its process is ended, in milliseconds. */
export const HANG_LIMIT = 10_000;

/** Questions that the watchdog's thread answers: so others can tell a process that is short of CPU from one that is stopped. */
export interface PulseOptions {
  /** Where UDP is listened on: an IP address; all of IPv4 when that is {@link ALL_ADDRESSES} and there is no IPv6. */
  readonly host: string;
  readonly port: number;
  /** With what each question begins. */
  readonly magic: string;
  /** Its length in bytes. */
  readonly length: number;
  /** Is told why there is no pulse. */
  readonly failed: (message: string) => void;
}

/** How often the main thread shows that it runs, and the watchdog looks, for each limit. */
const LOOKS = 20;

/**
 * The watchdog's thread. It is plain JavaScript in a text, so that it needs no file of its own in a bundle. A look that comes late itself, as
 * after a suspended machine wakes up, counts for nothing.
 */
const THREAD = `
const { writeSync } = require('node:fs');
const { parentPort, workerData: { beats, limit, every, name, pulse } } = require('node:worker_threads');
const count = new Int32Array(beats);
let seen = -1, since = performance.now(), looked = since;
const look = (now) => {
  const beat = Atomics.load(count, 0);
  if (beat !== seen || now - looked > 3 * every) { seen = beat; since = now; }
  looked = now;
};
if (pulse !== undefined) {
  const { port, magic, length } = pulse;
  // A socket for each family: whether one of IPv6 has datagrams of IPv4 too is for the system to say (net.ipv6.bindv6only).
  const isAll = pulse.host === '${ALL_ADDRESSES}';
  const listen = (host) => {
    const isIpv6 = host.includes(':');
    const socket = require('node:dgram').createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6 && isAll });
    socket.once('error', (error) => {
      socket.close();
      if (!isIpv6 || !isAll || !${JSON.stringify(NO_IPV6)}.includes(error.code)) parentPort.postMessage(error.message);
    });
    // What went wrong with one datagram says nothing of the next.
    socket.once('listening', () => socket.removeAllListeners('error').on('error', () => {}));
    socket.on('message', (message, from) => {
      // Whoever writes datagrams by hand may say that one came from port 0: nothing can be sent there.
      if (from.port === 0 || message.length !== length || message.toString('latin1', 0, magic.length) !== magic) return;
      look(performance.now());
      const answer = Buffer.alloc(length + 4);
      message.copy(answer);
      answer.writeUInt32BE(Math.round(looked - since), length);
      // What cannot be sent is lost, as datagrams are.
      socket.send(answer, from.port, from.address, () => {});
    });
    socket.bind(port, host);
  };
  for (const host of isAll ? ['::', '0.0.0.0'] : [pulse.host]) listen(host);
}
setInterval(() => {
  look(performance.now());
  const now = looked;
  if (now - since < limit) return;
  const msg = 'the event loop stood still for ' + Math.round(now - since) + ' ms; the process is ended';
  writeSync(2, JSON.stringify({ level: 'error', time: new Date().toISOString(), name, msg }) + '\\n');
  process.kill(process.pid, 'SIGKILL');
}, every);
`;

/**
 * A thread that ends the process (SIGKILL, so exit code 137) when its event loop stands still. A daemon that hangs is the worst fault:
 * container runtimes wait for it, while from a closed port they go on to the registry at once.
 */
export class Watchdog implements Closeable {
  private readonly beating: NodeJS.Timeout;

  private constructor(
    private readonly thread: Worker,
    beats: Int32Array,
    every: number,
  ) {
    this.beating = setInterval(() => Atomics.add(beats, 0, 1), every);
    this.beating.unref();
    thread.unref();
  }

  /**
   * @param name the command's, for the log.
   * @param limit in milliseconds.
   * @param pulse questions to answer. Default: none.
   */
  static async start(name: string, limit = HANG_LIMIT, pulse?: PulseOptions): Promise<Watchdog> {
    const beats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const every = limit / LOOKS;
    const { failed = (): void => undefined, ...questions } = pulse ?? {};
    const workerData = { beats, limit, every, name, pulse: pulse === undefined ? undefined : questions };
    const thread = new Worker(THREAD, { eval: true, workerData, stdout: false });
    thread.on('message', failed);
    await once(thread, 'online');
    return new Watchdog(thread, new Int32Array(beats), every);
  }

  async stop(): Promise<void> {
    clearInterval(this.beating);
    await this.thread.terminate();
  }
}
