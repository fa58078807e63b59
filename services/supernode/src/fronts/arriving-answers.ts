import type { IncomingMessage, ServerResponse } from 'node:http';

import { whenOver } from '@cdk8s-dragonfly/engine';
import { ARRIVING_HEADER, ATTESTATION_LENGTH, BLOCK_EDITION_HEADER, attestationBytes } from '@cdk8s-dragonfly/protocol';
import type { LentBlock } from '@cdk8s-dragonfly/store';

import type { Task } from '../tasks/task';
import { refuseRaw } from './refusal';

/** Answers at a time, and to one client: a slow one keeps a whole block in memory. Who gets none asks again when the block is here. */
const MOST = 128;
const MOST_EACH = 16;

/**
 * Gives blocks while they arrive from the origin. They take no turn: of each there is one client at most, and what it gets has just come in. But
 * nobody waits for a client that is slower than the origin, so there are only so many.
 */
export class ArrivingAnswers {
  /** Each refuses somebody a block that is still arriving. */
  private readonly refusals = new Set<() => void>();
  private readonly byClient = new Map<string, number>();

  /** @param served is told of the bytes of each block that was given. */
  constructor(private readonly served: (bytes: number) => void) {}

  /** Answers with a block as it arrives, or with the one that comes next. @returns false when it does not: the block is not about to arrive, or too many are asked for. */
  give(
    { arriving, stored }: Pick<Task, 'arriving' | 'stored'>,
    index: number,
    request: IncomingMessage,
    response: ServerResponse,
  ): boolean {
    const client = request.socket.remoteAddress ?? '';
    const has = this.byClient.get(client) ?? 0;
    if (stored?.size === undefined || stored.held.has(index)) return false;
    if (this.refusals.size >= MOST || has >= MOST_EACH) return false;
    const length = stored.grid.blockLength(index, stored.size);
    let given = 0;
    let isRefused = false;
    const refuse = (): void => {
      if (isRefused) return;
      isRefused = true;
      if (response.headersSent) response.destroy();
      else refuseRaw(response, 404, `block ${index} of ${stored.blob} did not arrive`);
    };
    /** @param isRest whether no more follow. */
    const give = ({ bytes, done }: LentBlock, isRest: boolean): void => {
      given += bytes.length;
      // The origin may have another length than was told.
      if (given > length || (isRest && given < length)) refuse();
      // What still arrives is not for an answer that has ended.
      if (isRefused) {
        done();
        return;
      }
      if (!response.headersSent) {
        response.writeHead(200, {
          'content-type': 'application/octet-stream',
          'content-length': length + ATTESTATION_LENGTH,
          [ARRIVING_HEADER]: '1',
          ...(stored.edition === undefined ? {} : { [BLOCK_EDITION_HEADER]: stored.edition.id }),
        });
      }
      response.write(bytes, (error) => {
        // Of a connection that broke, nobody knows whether it still has them.
        if (error === undefined || error === null) done();
      });
    };
    const leave = arriving.follow(index, {
      isReady: () => response.writableLength === 0,
      more: (part) => give(part, false),
      whole: (rest, attestation) => {
        give(rest, true);
        if (!isRefused) response.end(attestationBytes(attestation));
      },
      gone: refuse,
    });
    if (leave === undefined) return false;
    this.refusals.add(refuse);
    this.byClient.set(client, has + 1);
    whenOver(request, response, (sent) => {
      leave();
      this.refusals.delete(refuse);
      this.released(client);
      if (response.statusCode === 200 && sent > 0) this.served(length);
    });
    return true;
  }

  /** Refuses all: the origin may take its time. */
  refuseAll(): void {
    for (const refuse of [...this.refusals]) refuse();
  }

  private released(client: string): void {
    const left = (this.byClient.get(client) ?? 0) - 1;
    if (left > 0) this.byClient.set(client, left);
    else this.byClient.delete(client);
  }
}
