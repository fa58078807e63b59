import { timeoutSignal } from '@cdk8s-dragonfly/command';
import {
  formatPeerTaskRequest,
  formatPieceError,
  formatPieceSuccess,
  formatServiceDown,
  parsePeerTaskAnswer,
  parseReportAnswer,
} from '@cdk8s-dragonfly/protocol';
import type {
  PeerTaskAnswer,
  PeerTaskRequest,
  PieceError,
  PieceSuccess,
  Registration,
} from '@cdk8s-dragonfly/protocol';
import { request } from 'undici';
import type { Dispatcher } from 'undici';

import type { LinkLog } from '../links/link-log';
import { within } from '../links/patience';

/** How long an answer may take, in milliseconds: as original clients wait. */
const ANSWER_LIMIT = 5000;

/** How long a goodbye may take, in milliseconds. */
const GOODBYE_LIMIT = 1000;

export interface OriginalSupernodeOptions {
  readonly name: string;
  readonly url: (pathAndQuery: string) => URL;
  readonly dispatcher: Dispatcher;
  readonly log: LinkLog;
}

/** A download's place in the swarm of an original supernode. */
export interface OriginalPlace {
  readonly supernode: OriginalSupernode;
  /** The name of this download there. */
  readonly cid: string;
  readonly registration: Registration;
}

/** The control API of an original supernode, after the registration (Dragonfly 0.x protocol, 2). */
export class OriginalSupernode {
  /** Reports go out one after the other: nobody waits for them. */
  private reports: Promise<void> = Promise.resolve();

  constructor(private readonly options: OriginalSupernodeOptions) {}

  get name(): string {
    return this.options.name;
  }

  /**
   * Asks what to fetch. What is no answer of the protocol, or none at all, is one too.
   *
   * @throws the signal's reason when it aborts.
   */
  async ask(question: PeerTaskRequest, signal: AbortSignal): Promise<PeerTaskAnswer> {
    try {
      const { status, body } = await this.get(`/peer/task?${formatPeerTaskRequest(question)}`, signal);
      return parsePeerTaskAnswer(status, body);
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'unusable', fault: error instanceof Error ? error.message : String(error) };
    }
  }

  /** A piece is here, and others may have it. */
  pieceStored(report: PieceSuccess): void {
    this.report(`/peer/piece/suc?${formatPieceSuccess(report)}`);
  }

  /** A piece was not what it should be. Original Go supernodes do not know this report. */
  pieceFailed(report: PieceError): void {
    this.report(`/peer/piece/error?${formatPieceError(report)}`);
  }

  /** Nothing of a task is given to others any more; said after what was to be reported. Never rejects; takes a second at most, own pauses apart. */
  async down({ registration, cid }: Pick<OriginalPlace, 'registration' | 'cid'>): Promise<void> {
    this.report(`/peer/service/down?${formatServiceDown({ taskId: registration.taskId, cid })}`);
    await within(GOODBYE_LIMIT, this.reports);
  }

  private report(pathAndQuery: string): void {
    this.reports = this.reports.then(() => this.send(pathAndQuery));
  }

  private async send(pathAndQuery: string): Promise<void> {
    const { name, log } = this.options;
    try {
      const { status, body } = await this.get(pathAndQuery);
      const answer = parseReportAnswer(status, body);
      if (answer.kind === 'failed') log.debug({ supernode: name, pathAndQuery, ...answer }, 'a report was not taken');
    } catch (error) {
      log.debug({ supernode: name, pathAndQuery, err: error }, 'a report was not taken');
    }
  }

  private async get(
    pathAndQuery: string,
    signal?: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const { url, dispatcher } = this.options;
    const late = timeoutSignal(ANSWER_LIMIT);
    const { statusCode, body } = await request(url(pathAndQuery), {
      dispatcher,
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
    return { status: statusCode, body: await body.text() };
  }
}
