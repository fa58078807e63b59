import { fetchReason, timeoutSignal } from '@cdk8s-dragonfly/command';
import { BLOBS_PATH, REACH_PATH, daemonBlobs, daemonReach } from '@cdk8s-dragonfly/protocol';
import type { DaemonBlobs, DaemonReach } from '@cdk8s-dragonfly/protocol';

/** Whoever was asked did not answer. The message is the end of a sentence. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  /** @param isSilent whether a connection was there, or might have been, and nothing came: somebody hangs, instead of being gone. */
  constructor(
    message: string,
    readonly isSilent = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The longest answer that is read, in bytes. */
const LONGEST = 4 * 1024 * 1024;

/** What is asked of a df-daemon, at the port of its mirror and beside it. */
export class DaemonClient {
  /** @param patience how long each answer may take, in milliseconds. */
  constructor(
    readonly mirror: URL,
    private readonly patience: number,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Asks, at the mirror or at a URL of its own.
   *
   * @throws NoAnswer
   */
  async get(target: string | URL, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const url = typeof target === 'string' ? new URL(target, this.mirror) : target;
    const signal = AbortSignal.any([this.signal, timeoutSignal(this.patience)]);
    return this.orNoAnswer(() =>
      fetch(url, { headers: { 'accept-encoding': 'identity', ...headers }, redirect: 'follow', signal }),
    );
  }

  /** The text of an answer. @throws NoAnswer when it breaks off or is too long. */
  async text(answer: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    await this.chunks(answer, (chunk) => {
      length += chunk.length;
      if (length > LONGEST) throw new NoAnswer(`it answers with more than ${LONGEST} bytes`);
      chunks.push(chunk);
    });
    return Buffer.concat(chunks).toString('utf8');
  }

  /** Gives the bytes of an answer as they come. @throws NoAnswer when it breaks off. */
  async chunks(answer: Response, take: (chunk: Uint8Array) => void): Promise<void> {
    await this.orNoAnswer(async () => {
      for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) take(chunk);
    });
  }

  /** What the daemon reaches; a status when it does not tell. @throws NoAnswer */
  async reach(): Promise<DaemonReach | number> {
    const answer = await this.get(REACH_PATH);
    const parsed = daemonReach.safeParse(jsonOf(await this.text(answer)));
    return answer.status === 200 && parsed.success ? parsed.data : answer.status;
  }

  /** The blobs that the daemon gave last; none when it does not tell. @throws NoAnswer */
  async blobs(): Promise<DaemonBlobs> {
    const parsed = daemonBlobs.safeParse(jsonOf(await this.text(await this.get(BLOBS_PATH))));
    return parsed.success ? parsed.data : [];
  }

  private async orNoAnswer<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.signal.throwIfAborted();
      if (error instanceof NoAnswer) throw error;
      const isSilent = (error as Error).name === 'TimeoutError';
      throw new NoAnswer(fetchReason(error, this.patience), isSilent, { cause: error });
    }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
