import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandError } from '@cdk8s-dragonfly/command';
import type { LocalProcess } from './local-process';

const PROBE_INTERVAL = 50;
const PROBE_TIMEOUT = 2_000;

export interface ReadinessOptions {
  /** How long it may take, in milliseconds. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks a process, as Kubernetes does, until it says that it is ready.
 *
 * @throws CommandError when it ends before, or takes too long
 */
export async function waitUntilReady(process: LocalProcess, { limitMs, signal }: ReadinessOptions): Promise<void> {
  const { name, command, readyUrl } = process.plan;
  const deadline = Date.now() + limitMs;
  let answer = 'no answer';
  for (;;) {
    signal.throwIfAborted();
    if (process.hasEnded) throw await process.failure();
    const status = await statusOf(readyUrl);
    if (status === 200) return;
    answer = status === undefined ? answer : `status ${status}`;
    if (Date.now() >= deadline) {
      throw new CommandError(`${name} (${command}) is not ready after ${limitMs / 1000} s: ${answer} from ${readyUrl}`);
    }
    await delay(PROBE_INTERVAL);
  }
}

/** The status that `url` answers; undefined when nobody does. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: PROBE_TIMEOUT }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.statusCode));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(undefined));
  });
}
