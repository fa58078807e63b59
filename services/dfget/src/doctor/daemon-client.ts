import { fetchReason, takesConnections } from '@cdk8s-dragonfly/command';
import { BLOBS_PATH, REACH_PATH, REACH_PATIENCE, daemonBlobs, daemonReach, jsonOf } from '@cdk8s-dragonfly/protocol';
import type { DaemonBlobs, DaemonReach } from '@cdk8s-dragonfly/protocol';

import { Stall } from './stall';

/** How one that was asked failed to answer: nobody is there; packets do not come back; connections open, and nothing comes; it broke off. */
export type Trouble = 'absent' | 'unopened' | 'silent' | 'broken';

/** Whoever was asked did not answer. The message is the end of a sentence. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  constructor(
    message: string,
    readonly trouble: Trouble,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The longest answer that is read as text, in bytes. */
const LONGEST = 4 * 1024 * 1024;
/** How long a connection may take to one that has said nothing, in milliseconds. */
const CONNECTS_WITHIN = 1000;
/** A df-daemon that lives answers what it knows by itself at once: nobody has to wait longer, in milliseconds. */
const QUESTION = 10_000;

/** An answer whose head is there. */
export interface Answer {
  readonly status: number;
  /** Gives the bytes as they come. @throws NoAnswer when it breaks off, or nothing comes for too long. */
  chunks(take: (chunk: Uint8Array) => void): Promise<void>;
  /** All of it. @throws NoAnswer as `chunks`, and when it is too long. */
  text(): Promise<string>;
}

/** What is asked of a df-daemon, at the port of its mirror and beside it. */
export class DaemonClient {
  /** @param patience how long an answer may bring nothing, in milliseconds. */
  constructor(
    readonly mirror: URL,
    private readonly patience: number,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Asks as a runtime does, with all the patience that was given.
   *
   * @throws NoAnswer
   */
  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask(new URL(path, this.mirror), this.patience, headers);
  }

  /** Asks what the daemon knows by itself. @throws NoAnswer */
  async question(url: URL): Promise<Answer> {
    return this.ask(url, Math.min(this.patience, QUESTION));
  }

  /** What the daemon reaches; a status when it does not tell. @throws NoAnswer */
  async reach(): Promise<DaemonReach | number> {
    // Whether it hangs is known at once; what it reaches, only when the last that it asks has had its time.
    await (await this.question(new URL(VERSION_PATH, this.mirror))).text();
    const answer = await this.ask(new URL(REACH_PATH, this.mirror), REACH_PATIENCE + QUESTION);
    const parsed = daemonReach.safeParse(jsonOf(await answer.text()));
    return answer.status === 200 && parsed.success ? parsed.data : answer.status;
  }

  /** The blobs that the daemon gave last; none when it does not tell. @throws NoAnswer */
  async blobs(): Promise<DaemonBlobs> {
    const answer = await this.question(new URL(BLOBS_PATH, this.mirror));
    const parsed = daemonBlobs.safeParse(jsonOf(await answer.text()));
    return parsed.success ? parsed.data : [];
  }

  private async ask(url: URL, patience: number, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const stall = new Stall(patience);
    const signal = AbortSignal.any([this.signal, stall.signal]);
    const attempt = async <T>(part: () => Promise<T>): Promise<T> => {
      try {
        return await part();
      } catch (error) {
        stall.end();
        this.signal.throwIfAborted();
        if (error instanceof NoAnswer) throw error;
        throw await noAnswer(error, url, patience);
      }
    };
    const { status, body } = await attempt(() =>
      fetch(url, { headers: { 'accept-encoding': 'identity', ...headers }, redirect: 'follow', signal }),
    );
    const chunks = (take: (chunk: Uint8Array) => void): Promise<void> =>
      attempt(async () => {
        for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
          stall.moved();
          take(chunk);
        }
        stall.end();
      });
    return { status, chunks, text: () => textOf(chunks) };
  }
}

/** The original has it too. */
const VERSION_PATH = '/debug/version';

async function textOf(chunks: Answer['chunks']): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  await chunks((part) => {
    length += part.length;
    if (length > LONGEST) throw new NoAnswer(`it answers with more than ${LONGEST} bytes`, 'broken');
    parts.push(part);
  });
  return Buffer.concat(parts).toString('utf8');
}

const ABSENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE']);

async function noAnswer(error: unknown, url: URL, patience: number): Promise<NoAnswer> {
  const options = { cause: error };
  if ((error as Error).name === 'TimeoutError') {
    return (await takesConnections(url, CONNECTS_WITHIN))
      ? new NoAnswer(`it takes connections, and nothing came for ${patience} ms`, 'silent', options)
      : new NoAnswer(`no connection to it opened for ${patience} ms`, 'unopened', options);
  }
  const { code = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  const trouble = ABSENT.has(code) ? 'absent' : BROKEN.has(code) ? 'broken' : 'unopened';
  return new NoAnswer(fetchReason(error, patience), trouble, options);
}
