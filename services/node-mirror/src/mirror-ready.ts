import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { reasonOf } from './files/errno';
import { Refusal } from './refusal';

/** How long one attempt may take, and the pause between two. */
const ATTEMPT_MS = 2_000;
const PAUSE_MS = 200;

/** Asks once; resolves with the status, whatever it is, and rejects when no HTTP server answers. */
async function statusOf(url: URL, timeoutMs: number): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const options = { agent: false, signal } as const;
    const outgoing =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, rejectUnauthorized: false })
        : httpRequest(url, options);
    outgoing.on('response', (answer) => {
      answer.destroy();
      resolve(answer.statusCode ?? 0);
    });
    outgoing.on('error', (error) => {
      reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error);
    });
    outgoing.end();
  });
}

/** What is asked besides the mirror itself. */
export interface MirrorWait {
  /** Where the df-daemon says with 200 that it is ready. Absent: that is not asked. */
  readonly readyz?: string;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks until there is an answer that is good enough. */
async function waitFor(
  url: URL,
  who: string,
  good: (status: number) => boolean,
  deadline: number,
  waitMs: number,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    let why: unknown;
    try {
      const status = await statusOf(url, ATTEMPT_MS);
      if (good(status)) return;
      why = new Error(`it answered ${status}`);
    } catch (error) {
      why = error;
    }
    if (signal?.aborted === true || performance.now() + PAUSE_MS > deadline) {
      throw new Refusal(
        `${who} GET ${url.href} within ${waitMs / 1000} s (${reasonOf(why)}): start the df-daemon of this node first; nothing was changed`,
        { cause: why },
      );
    }
    await pause(PAUSE_MS);
  }
}

/**
 * Waits until the df-daemon says that it is ready, and its mirror answers `GET /v2/` with any status: a runtime must not be
 * pointed at a mirror that is not up.
 *
 * @param waitMs how long; 0: one attempt
 * @throws Refusal when that is not so in that time, or the waiting is ended
 */
export async function waitForMirror(
  mirror: string,
  waitMs: number,
  { readyz, signal }: MirrorWait = {},
): Promise<void> {
  const deadline = performance.now() + waitMs;
  if (readyz !== undefined) {
    const ready = (status: number): boolean => status === 200;
    await waitFor(
      new URL(readyz),
      'the df-daemon is not ready: it does not answer with 200 to',
      ready,
      deadline,
      waitMs,
      signal,
    );
  }
  const url = new URL(`${mirror.replace(/\/+$/, '')}/v2/`);
  await waitFor(url, 'the mirror does not answer', () => true, deadline, waitMs, signal);
}
