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

/**
 * Waits until the mirror answers `GET /v2/`, with any status: a runtime must not be pointed at a mirror that is not up.
 *
 * @param waitMs how long; 0: one attempt
 * @param signal ends the waiting
 * @throws Refusal when nobody answers in that time, or the waiting is ended
 */
export async function waitForMirror(mirror: string, waitMs: number, signal?: AbortSignal): Promise<void> {
  const url = new URL(`${mirror.replace(/\/+$/, '')}/v2/`);
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      await statusOf(url, ATTEMPT_MS);
      return;
    } catch (error) {
      if (signal?.aborted === true || performance.now() + PAUSE_MS > deadline) {
        throw new Refusal(
          `the mirror does not answer GET ${url.href} within ${waitMs / 1000} s (${reasonOf(error)}): start the df-daemon of this node first; nothing was changed`,
          { cause: error },
        );
      }
    }
    await pause(PAUSE_MS);
  }
}
