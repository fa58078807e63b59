import {
  formatPeerTaskRequest,
  formatPieceSuccess,
  formatRegistryRequest,
  formatServiceDown,
  parsePeerTaskAnswer,
  parseRegistryAnswer,
  parseReportAnswer,
} from '@cdk8s-dragonfly/protocol';
import type { PeerTaskAnswer, PieceSource } from '@cdk8s-dragonfly/protocol';

import type { HttpAnswer, HttpConnection } from './http-connection';

/** What a dfget asks next. */
type Step =
  | { readonly kind: 'register' }
  | { readonly kind: 'start' }
  | { readonly kind: 'stored'; readonly piece: PieceSource }
  | { readonly kind: 'report'; readonly piece: PieceSource }
  | { readonly kind: 'leave' };

/** Which host it runs on and what it fetches. */
export interface DfgetOptions {
  /** The address of its host's peer server. */
  readonly ip: string;
  readonly port: number;
  /** Told apart from all others. */
  readonly number: number;
  /** What it fetches in its `life`th life. */
  readonly url: (life: number) => string;
}

/**
 * A dfget 0.4.0 as the supernode sees it: registers, asks, "fetches" each piece that it is told, says that it is on disk
 * (`/peer/piece/suc`), reports it and asks for more (`/peer/task`), leaves when it has all (`/peer/service/down`) and begins anew as another.
 * The bytes of the pieces are not fetched.
 */
export class Dfget {
  /** How many files it has had whole. */
  finished = 0;
  private step: Step = { kind: 'register' };
  private life = 0;
  private cid = '';
  private taskId = '';
  private readonly done = new Set<number>();

  constructor(
    private readonly connection: HttpConnection,
    private readonly options: DfgetOptions,
  ) {}

  /** How many pieces of its file it has. */
  get pieces(): number {
    return this.done.size;
  }

  /**
   * Sends its next request and takes the answer in.
   *
   * @throws Error when the answer is not the right one.
   */
  async next(): Promise<void> {
    const { step, connection, cid, taskId } = this;
    switch (step.kind) {
      case 'register':
        this.registered(await connection.post('/peer/registry', this.registration()));
        return;
      case 'start': {
        const query = formatPeerTaskRequest({ kind: 'start', srcCid: cid, taskId, outcome: undefined });
        this.told(await connection.get(`/peer/task?${query}`));
        return;
      }
      case 'stored': {
        const { piece } = step;
        const query = formatPieceSuccess({ ...piece, taskId, cid, dstCid: piece.cid });
        this.taken(await connection.get(`/peer/piece/suc?${query}`));
        this.step = { kind: 'report', piece };
        return;
      }
      case 'report': {
        const { piece } = step;
        const outcome = { ...piece, dstCid: piece.cid, arrived: true };
        const query = formatPeerTaskRequest({ kind: 'report', srcCid: cid, taskId, outcome });
        this.done.add(piece.pieceNum);
        this.told(await connection.get(`/peer/task?${query}`));
        return;
      }
      case 'leave':
        this.taken(await connection.get(`/peer/service/down?${formatServiceDown({ taskId, cid })}`));
        this.finished += 1;
        this.step = { kind: 'register' };
        return;
    }
  }

  private registration(): string {
    const { ip, port, number, url } = this.options;
    this.life += 1;
    const rawUrl = url(this.life);
    this.cid = `${ip}-${10_000 + number}-${1_795_406_219 + this.life}.563`;
    const file = `${rawUrl.slice(-16)}-${number}-${this.life}`;
    return formatRegistryRequest({
      rawUrl,
      taskUrl: rawUrl,
      cid: this.cid,
      ip,
      port,
      path: `/peer/file/${file}`,
      hostName: `node-${ip}`,
      version: '0.4.0',
      headers: [],
      dfdaemon: false,
    });
  }

  private registered({ status, body }: HttpAnswer): void {
    const answer = parseRegistryAnswer(status, body);
    if (answer.kind !== 'registered') throw new Error(`a registration was answered with ${status} ${body}`);
    this.taskId = answer.registration.taskId;
    this.done.clear();
    this.step = { kind: 'start' };
  }

  private told({ status, body }: HttpAnswer): void {
    const answer = this.isChecked ? parsePeerTaskAnswer(status, body) : answerIn(status, body);
    if (answer.kind === 'finish') {
      this.step = { kind: 'leave' };
      return;
    }
    const piece = answer.kind === 'continue' ? answer.sources.find((one) => !this.done.has(one.pieceNum)) : undefined;
    if (piece === undefined) throw new Error(`a question for pieces was answered with ${status} ${body}`);
    this.step = { kind: 'stored', piece };
  }

  private taken({ status, body }: HttpAnswer): void {
    const answer = this.isChecked ? parseReportAnswer(status, body) : undefined;
    if (answer === undefined ? status === 200 && body === TAKEN : answer.kind === 'taken') return;
    throw new Error(`a report was answered with ${status} ${body}`);
  }

  /** Whether its next answer is looked through to the last member: those of one dfget in sixteen are. */
  private get isChecked(): boolean {
    return this.options.number % 16 === 0;
  }
}

const TAKEN = '{"code":200,"msg":"success"}';

/**
 * What of an answer to `GET /peer/task` says how to go on. The client's own parser checks every member and costs the generator as much
 * as the request costs the supernode.
 *
 * @throws Error when it is no such answer.
 */
function answerIn(status: number, body: string): PeerTaskAnswer {
  const { code, data } = JSON.parse(body) as { code: number; data: PieceSource[] };
  if (status !== 200) throw new Error(`a question for pieces was answered with ${status} ${body}`);
  if (code === 600) return { kind: 'finish', md5: undefined, framedLength: undefined };
  return code === 601 ? { kind: 'continue', sources: data } : { kind: 'wait', code };
}
