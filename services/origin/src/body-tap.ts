import { Agent as PlainAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { RequestOptions } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** So much of a body is read at a time at most, in bytes: each part goes through several hands on its way into a block. */
const READ = 256 * 1024;

/** And of what goes to Node's client. */
const SHARED = 64 * 1024;

/** Whose bytes come so fast that they wait for their reader: so many, and the socket is not read until it has taken them. */
const AHEAD = 2 * READ;

/** Memory for what is read from a connection. Whoever gets the bytes may give it back to whoever it is of. */
export interface ReadMemory {
  take(length: number): Buffer;
}

type Created = (error: Error | null, socket: Duplex) => void;

/**
 * The bytes of one connection. Node's client of HTTP makes new memory for each read and copies each part of a body into new memory once more,
 * which costs several times as much CPU as the reading. A tap reads into memory that is used again. What it reads goes to Node's client,
 * until a body is {@link BodyTap.take taken}.
 */
export class BodyTap {
  private static readonly taps = new WeakMap<Duplex, BodyTap>();
  /** For all that goes to Node's client, which copies what it keeps. */
  private readonly shared = Buffer.allocUnsafeSlow(SHARED);
  private socket: Socket | undefined;
  private body: TappedBody | undefined;

  /** The tap of a connection; undefined when it has none. */
  static of(socket: Duplex): BodyTap | undefined {
    return this.taps.get(socket);
  }

  /** What the options of a connection need to have. */
  readonly onread = {
    buffer: (): Buffer => this.body?.room() ?? this.shared,
    callback: (length: number, { buffer }: Uint8Array): boolean => {
      const isShared = buffer === this.shared.buffer;
      // Where a read goes is said before it: the first after the taking still comes here.
      if (this.body !== undefined && isShared) this.shared.copy(this.body.room(), 0, 0, length);
      if (this.body !== undefined) return this.body.took(length);
      // What Node itself does with bytes that it was not told where to put.
      this.socket?.emit('data', this.shared.subarray(0, length));
      return true;
    },
  };

  /** The connection is there. */
  on(socket: Socket): void {
    this.socket = socket;
    BodyTap.taps.set(socket, this);
  }

  /** What comes from now on is the rest of a body. The connection is of no use to anybody else from then on. */
  take(memory: ReadMemory): TappedBody {
    const { socket } = this;
    if (socket === undefined) throw new Error('a tap without a connection has no body');
    this.body = new TappedBody(socket, memory);
    return this.body;
  }
}

/** The rest of a body, as it comes from its connection. */
export class TappedBody {
  private readonly parts: Buffer[] = [];
  /** Bytes in {@link parts}. */
  private waiting = 0;
  private buffer: Buffer | undefined;
  private filled = 0;
  private isPaused = false;
  private isEnded = false;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly memory: ReadMemory,
  ) {}

  /**
   * Bytes that have come; one call at a time. Several parts in a row may be of one buffer of the memory.
   *
   * @returns undefined when no more will come.
   * @throws what {@link end} was told.
   */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const part = this.parts.shift();
      if (part !== undefined) {
        this.waiting -= part.length;
        this.goOn();
        return part;
      }
      if (this.failure !== undefined) throw this.failure;
      if (this.isEnded) return undefined;
      this.goOn();
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** No more will come. */
  end(failure?: Error): void {
    this.failure ??= failure;
    this.isEnded = true;
    this.wake?.();
  }

  /** Where the next bytes go. */
  room(): Buffer {
    this.buffer ??= this.memory.take(READ);
    return this.buffer.subarray(this.filled);
  }

  /** Bytes have come. @returns whether more may come. */
  took(length: number): boolean {
    const { buffer, filled } = this;
    if (buffer === undefined) return false;
    this.parts.push(buffer.subarray(filled, filled + length));
    this.waiting += length;
    this.filled = filled + length;
    if (this.filled === buffer.length) {
      this.buffer = undefined;
      this.filled = 0;
    }
    this.wake?.();
    this.isPaused = this.waiting >= AHEAD;
    return !this.isPaused;
  }

  private goOn(): void {
    if (!this.isPaused || this.waiting >= AHEAD) return;
    this.isPaused = false;
    this.socket.resume();
  }
}

/** Node's own agent, with a tap at each connection. */
export class TappedPlainAgent extends PlainAgent {
  override createConnection(options: RequestOptions, callback?: Created): Duplex | null | undefined {
    return tapped(options, (withTap) => super.createConnection(withTap, callback));
  }
}

/** Node's own agent for TLS, with a tap at each connection. */
export class TappedSecureAgent extends SecureAgent {
  override createConnection(options: RequestOptions, callback?: Created): Duplex | null | undefined {
    return tapped(options, (withTap) => super.createConnection(withTap, callback));
  }
}

function tapped(
  options: RequestOptions,
  connect: (options: RequestOptions) => Duplex | null | undefined,
): Duplex | null | undefined {
  const tap = new BodyTap();
  const withTap: RequestOptions & Pick<BodyTap, 'onread'> = { ...options, onread: tap.onread };
  const socket = connect(withTap);
  // Of both kinds.
  if (socket instanceof Socket) tap.on(socket);
  return socket;
}
