import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import {
  frameHeader,
  frameTail,
  parsePeerTaskRequest,
  parsePieceSuccess,
  parseServiceDown,
  pieceCount,
} from '@cdk8s-dragonfly/protocol';

import type { RecordedAnswer, RecordedItem, RecordedRun } from './recorded-run';

const SUPERNODE = 'cdnnode:';

/**
 * A recorded original supernode, with its piece server and the clients it names, over real HTTP. It says what was recorded, in the recorded
 * order; which pieces it names at a time follows from what the client has, as with the originals.
 */
export class ReplayedSupernode {
  /** Pieces that were reported to be on the client's disk, by the client's name. */
  readonly stored = new Map<string, Set<number>>();
  /** Emits `stored` at each such report. */
  readonly reports = new EventEmitter();
  /** The names of the clients that said goodbye. */
  readonly left: string[] = [];
  /** How often the piece servers were asked: the supernode's own, and the clients'. */
  readonly asked = { supernode: 0, peers: 0 };
  /** What the piece servers give instead of the right bytes. */
  spoil: (framed: Buffer, piece: number, from: 'supernode' | 'peer') => Buffer = (framed) => framed;
  /** Whether the MD5 at the end is the recorded one, and not that of the content. */
  tellsMd5AsRecorded = false;
  private registered = 0;
  private questions = 0;
  private questionsBefore = -1;
  private downloads = 0;
  private readonly done = new Set<number>();
  private readonly failures = new Map<number, number>();
  private readonly items = new Map<number, RecordedItem[]>();
  private readonly pieceSize: number;

  private constructor(
    private readonly run: RecordedRun,
    private readonly content: Buffer,
    private readonly server: Server,
    readonly port: number,
    private readonly deadPort: number,
  ) {
    for (const { json } of run.answers) {
      for (const item of json?.code === 601 ? ((json.data ?? []) as RecordedItem[]) : []) {
        const all = this.items.get(item.pieceNum) ?? [];
        this.items.set(item.pieceNum, [...all, item]);
      }
    }
    this.pieceSize = [...this.items.values()][0]?.[0]?.pieceSize ?? 4 * 1024 * 1024;
  }

  static async start(run: RecordedRun, content: Buffer): Promise<ReplayedSupernode> {
    const [server, dead] = [createServer(), createServer()];
    for (const each of [server, dead]) {
      each.listen(0, '127.0.0.1');
      await once(each, 'listening');
    }
    const [port, deadPort] = [server, dead].map((each) => (each.address() as AddressInfo).port);
    dead.close();
    const supernode = new ReplayedSupernode(run, content, server, port ?? 0, deadPort ?? 0);
    server.on('request', (request, response) => {
      supernode.answer(request, response).catch(() => response.destroy());
    });
    return supernode;
  }

  /** Is gone at once, as if its process had ended. */
  break(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const success = JSON.stringify({ code: 200, msg: 'success' });
    switch (path) {
      case '/_ping':
        response.end('ok');
        return;
      case '/peer/registry':
        await text(request);
        send(response, this.registration());
        return;
      case '/peer/task':
        send(response, this.task(query));
        return;
      case '/peer/piece/suc': {
        const report = parsePieceSuccess(query);
        if (report.ok) {
          const { cid, pieceNum } = report.value;
          this.stored.set(cid, (this.stored.get(cid) ?? new Set()).add(pieceNum));
          this.reports.emit('stored');
        }
        response.end(success);
        return;
      }
      case '/peer/service/down': {
        const leave = parseServiceDown(query);
        if (leave.ok) this.left.push(leave.value.cid);
        response.end(success);
        return;
      }
      case '/peer/piece/error':
        response.end(success);
        return;
      default:
        this.piece(path, request, response);
    }
  }

  /** A daemon registers twice before its first question: once as to our supernode, and once as to an original one. */
  private registration(): RecordedAnswer | undefined {
    const { registrations } = this.run;
    if (this.questionsBefore === this.questions && this.registered > 0) this.registered -= 1;
    const answer = registrations[Math.min(this.registered, registrations.length - 1)];
    this.registered += 1;
    this.questionsBefore = answer?.json?.code === 200 ? this.questions : -1;
    return answer;
  }

  private task(query: string): RecordedAnswer | undefined {
    const question = parsePeerTaskRequest(query);
    const recorded = this.run.answers[this.questions];
    this.questions += 1;
    if (question.ok && question.value.kind === 'report') {
      const { pieceNum, arrived } = question.value.outcome;
      if (arrived) this.done.add(pieceNum);
      else this.failures.set(pieceNum, (this.failures.get(pieceNum) ?? 0) + 1);
    }
    const names = recorded?.json?.code === 600 || (recorded?.json?.code === 601 && isFull(recorded.json.data));
    if (this.items.size === 0) return recorded ?? this.run.answers.at(-1);
    return recorded === undefined || names ? this.told() : recorded;
  }

  private told(): RecordedAnswer | undefined {
    const { content, pieceSize } = this;
    const missing = [...Array(pieceCount(content.length, pieceSize)).keys()].filter((piece) => !this.done.has(piece));
    const finish = this.run.answers.find(({ json }) => json?.code === 600);
    if (missing.length === 0) return finish === undefined ? this.run.answers.at(-1) : this.withMd5(finish);
    const json = { code: 601, data: missing.slice(0, 4).map((piece) => this.item(piece)) };
    return { status: 200, json, text: JSON.stringify(json) };
  }

  private withMd5({ status, json }: RecordedAnswer): RecordedAnswer {
    const data = json?.data as { md5?: string; fileLength: number };
    const md5 =
      data.md5 === undefined || data.md5 === '' ? data.md5 : md5Once(this.content, 'whole', () => this.content);
    const told = this.tellsMd5AsRecorded ? data.md5 : md5;
    return { status, json, text: JSON.stringify({ ...json, data: { ...data, md5: told } }) };
  }

  /** As it was recorded, but for the places of today. */
  private item(piece: number): object {
    const all = this.items.get(piece) ?? [...this.items.values()][0] ?? [];
    const item = all[Math.min(this.failures.get(piece) ?? 0, all.length - 1)];
    const isOwn = item?.cid.startsWith(SUPERNODE) === true;
    const isAlive = isOwn || this.run.peers.has(`${item?.peerIp}:${item?.peerPort}`);
    const pieceMd5 = item?.pieceMd5 === '' ? '' : this.pieceMd5(piece);
    const range = `${piece * this.pieceSize}-${(piece + 1) * this.pieceSize - 1}`;
    const place = { peerIp: '127.0.0.1', peerPort: isAlive ? this.port : this.deadPort };
    return { ...item, range, pieceNum: piece, pieceMd5, ...place };
  }

  private piece(path: string, request: IncomingMessage, response: ServerResponse): void {
    const from = path.startsWith('/peer/file/') ? 'peer' : 'supernode';
    const piece = Number(request.headers.piecenum);
    const status = from === 'peer' ? this.peerStatus() : this.ownStatus();
    if (status >= 300) {
      response.writeHead(status).end();
      return;
    }
    const framed = this.spoil(this.framed(piece), piece, from);
    response.writeHead(status, { 'content-length': framed.length }).end(framed);
  }

  private peerStatus(): number {
    this.asked.peers += 1;
    return [...this.run.peers.values()][0] ?? 206;
  }

  /** Where all that was recorded failed, all that follows fails too. */
  private ownStatus(): number {
    const { statuses } = this.run;
    this.asked.supernode += 1;
    return statuses[this.downloads++] ?? Math.max(206, statuses.at(-1) ?? 206);
  }

  private pieceMd5(piece: number): string {
    const { content, pieceSize } = this;
    const { length } = content.subarray(piece * (pieceSize - 5), (piece + 1) * (pieceSize - 5));
    return `${md5Once(content, `${pieceSize} ${piece}`, () => this.framed(piece))}:${length + 5}`;
  }

  private framed(piece: number): Buffer {
    const { content, pieceSize } = this;
    const raw = content.subarray(piece * (pieceSize - 5), (piece + 1) * (pieceSize - 5));
    return Buffer.concat([frameHeader(raw.length, pieceSize), raw, frameTail()]);
  }
}

/** By content, and by what of it. */
const md5s = new WeakMap<Buffer, Map<string, string>>();

/** Pieces are named again with every answer, and runs of one length have the same content: each is hashed once. */
function md5Once(content: Buffer, what: string, bytes: () => Buffer): string {
  const known = md5s.get(content) ?? new Map<string, string>();
  md5s.set(content, known);
  const md5 = known.get(what) ?? createHash('md5').update(bytes()).digest('hex');
  known.set(what, md5);
  return md5;
}

function isFull(data: unknown): boolean {
  return Array.isArray(data) && data.length > 0;
}

function send(response: ServerResponse, answer: RecordedAnswer | undefined): void {
  response.writeHead(answer?.status ?? 500, { 'content-type': 'application/json' }).end(answer?.text ?? '');
}
