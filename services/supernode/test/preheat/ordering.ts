import { setTimeout as delay } from 'node:timers/promises';

import { preheatDocument } from '@cdk8s-dragonfly/protocol';
import type { PreheatDocument } from '@cdk8s-dragonfly/protocol';

import type { Running } from '../ops/running';

/** How long a preheat may take here, in ms. */
const LIMIT = 15_000;

/** Orders a preheat; gives the status and the document of the answer. */
export async function order(running: Running, body: unknown): Promise<{ status: number; body: unknown }> {
  return running.json('/preheats', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
}

/** Orders a preheat and waits for its end. */
export async function preheat(running: Running, body: unknown): Promise<PreheatDocument> {
  const ordered = await order(running, body);
  if (ordered.status !== 200) throw new Error(`not taken: ${JSON.stringify(ordered)}`);
  return finished(running, (ordered.body as { ID: string }).ID);
}

/** Waits for the end of a preheat. */
export async function finished(running: Running, id: string): Promise<PreheatDocument> {
  const end = performance.now() + LIMIT;
  for (;;) {
    const { body } = await running.json(`/preheats/${id}`);
    const document = preheatDocument.parse(body);
    if (document.finishTime !== undefined) return document;
    if (performance.now() > end) throw new Error(`not finished: ${JSON.stringify(document)}`);
    await delay(20);
  }
}
