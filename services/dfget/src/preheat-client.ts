import { CommandError, fetchReason, formatAddress, timeoutSignal } from '@cdk8s-dragonfly/command';
import type { SupernodeAddress } from '@cdk8s-dragonfly/command';
import { PREHEATS_PATH, jsonOf, preheatDocument, preheatOrdered, preheatRefusal } from '@cdk8s-dragonfly/protocol';
import type { PreheatDocument } from '@cdk8s-dragonfly/protocol';

import type { PreheatOrder } from './preheat-order';

/** How long a supernode may take to answer, in ms: it does so before it begins. */
const PATIENCE = 5000;

/** A supernode that was not reached, or broke off. */
export class SupernodeSilent extends Error {
  override readonly name = 'SupernodeSilent';
}

/** The preheats of one supernode. */
export class PreheatClient {
  /** `HOST:PORT` for messages. */
  readonly name: string;

  constructor({ host, port }: SupernodeAddress) {
    this.name = formatAddress(host, port);
  }

  /**
   * Orders a preheat; one that was done before is done anew.
   *
   * @returns its id.
   * @throws SupernodeSilent; CommandError when the supernode refuses it.
   */
  async order(order: PreheatOrder, signal: AbortSignal): Promise<string> {
    const body = JSON.stringify(order);
    let answer = await this.ask('POST', PREHEATS_PATH, signal, body);
    const finished = answer.status === 409 ? preheatRefusal.safeParse(answer.document).data?.ID : undefined;
    if (finished !== undefined) {
      await this.ask('DELETE', `${PREHEATS_PATH}/${finished}`, signal);
      answer = await this.ask('POST', PREHEATS_PATH, signal, body);
    }
    const ordered = preheatOrdered.safeParse(answer.document);
    if (answer.status === 200 && ordered.success) return ordered.data.ID;
    throw this.refusal(answer);
  }

  /** @throws SupernodeSilent; CommandError when the supernode does not know it any more. */
  async look(id: string, signal: AbortSignal): Promise<PreheatDocument> {
    const answer = await this.ask('GET', `${PREHEATS_PATH}/${id}`, signal);
    const parsed = preheatDocument.safeParse(answer.document);
    if (answer.status === 200 && parsed.success) return parsed.data;
    if (answer.status !== 404) throw this.refusal(answer);
    throw new CommandError(
      `the supernode ${this.name} does not know the preheat any more: it was deleted, or the supernode restarted; order it anew`,
    );
  }

  private refusal({ status, document }: { status: number; document: unknown }): CommandError {
    const refusal = preheatRefusal.safeParse(document);
    return new CommandError(
      refusal.success
        ? `the supernode ${this.name} refuses: ${refusal.data.message}`
        : `the supernode ${this.name} does not know preheats (status ${status}); is it a supernode of this project?`,
    );
  }

  private async ask(
    method: string,
    path: string,
    signal: AbortSignal,
    body?: string,
  ): Promise<{ readonly status: number; readonly document: unknown }> {
    let status: number;
    let text: string;
    try {
      const answer = await fetch(`http://${this.name}${path}`, {
        method,
        redirect: 'error',
        signal: AbortSignal.any([signal, timeoutSignal(PATIENCE)]),
        ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
      });
      ({ status } = answer);
      text = await answer.text();
    } catch (error) {
      signal.throwIfAborted();
      throw new SupernodeSilent(`the supernode ${this.name} does not answer: ${fetchReason(error, PATIENCE)}`, {
        cause: error,
      });
    }
    return { status, document: jsonOf(text) };
  }
}
