import { setTimeout as delay } from 'node:timers/promises';

import { CommandError, UsageError, formatDuration, resolveSupernodes, warnOfIdle } from '@cdk8s-dragonfly/command';
import type { CommandContext, CommandValues, SupernodeAddress } from '@cdk8s-dragonfly/command';
import type { DFGET_PREHEAT } from '@cdk8s-dragonfly/contract';
import type { PreheatDocument } from '@cdk8s-dragonfly/protocol';

import { PreheatClient, SupernodeSilent } from './preheat-client';
import { preheatOrder } from './preheat-order';
import type { PreheatOrder } from './preheat-order';
import { failureLines, progressLine, resultLine } from './preheat-text';

/** How often the supernode is asked how far it is, in ms. */
const LOOK_EVERY = 250;

/** How long it may be silent meanwhile, in ms. */
const SILENT_FOR = 10_000;

/** Has a supernode fetch an image; 0 when all of it is there, else 1 and on standard error which blobs are not, and why. */
export async function preheatImage(values: CommandValues<typeof DFGET_PREHEAT>, ctx: CommandContext): Promise<number> {
  const began = performance.now();
  const order = await preheatOrder(values);
  const supernodes = resolveSupernodes(values, { tell: (idle) => warnOfIdle(ctx.log, [idle]) });
  if (supernodes.length === 0) throw new UsageError('no supernode is known: give --node HOST[:PORT]');
  const { client, id } = await orderAtFirst(supernodes, order, ctx);
  ctx.stdout.write(`preheat ${id} ordered at ${client.name}\n`);
  if (values.noWait || !values.wait) return 0;
  const document = await end(client, id, values.timeout, ctx);
  for (const line of document.status === 'SUCCESS' ? [] : failureLines(document)) {
    ctx.stderr.write(`dfget preheat: ${line}\n`);
  }
  ctx.stdout.write(`${resultLine(document, (performance.now() - began) / 1000)}\n`);
  return document.status === 'SUCCESS' ? 0 : 1;
}

/** The first supernode that answers takes it: replicas share the work among themselves. */
async function orderAtFirst(
  supernodes: readonly SupernodeAddress[],
  order: PreheatOrder,
  { signal, log }: CommandContext,
): Promise<{ readonly client: PreheatClient; readonly id: string }> {
  const silent: string[] = [];
  for (const address of supernodes) {
    const client = new PreheatClient(address);
    try {
      return { client, id: await client.order(order, signal) };
    } catch (error) {
      if (!(error instanceof SupernodeSilent)) throw error;
      log.warn({ err: error }, 'the next supernode is asked');
      silent.push(error.message);
    }
  }
  throw new CommandError(silent.join('; '));
}

/** Waits for the end and shows the progress, a line for each change. */
async function end(client: PreheatClient, id: string, timeout: number, ctx: CommandContext): Promise<PreheatDocument> {
  const { signal, stdout } = ctx;
  const limit = performance.now() + timeout;
  let heard = performance.now();
  let shown = '';
  for (;;) {
    try {
      const document = await client.look(id, signal);
      heard = performance.now();
      const line = progressLine(document);
      if (line !== shown) stdout.write(`${line}\n`);
      shown = line;
      if (document.finishTime !== undefined) return document;
    } catch (error) {
      if (!(error instanceof SupernodeSilent)) throw error;
      if (performance.now() - heard > SILENT_FOR) throw new CommandError(error.message, 1, { cause: error });
    }
    if (performance.now() > limit) {
      throw new CommandError(
        `the preheat is not over after ${formatDuration(timeout)} (--timeout); the supernode ${client.name} goes on with it`,
      );
    }
    await delay(LOOK_EVERY, undefined, { signal });
  }
}
