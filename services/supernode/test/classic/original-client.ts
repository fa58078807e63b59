import { EventEmitter, once } from 'node:events';

import { exchange } from './http-exchange';
import type { Exchange } from './http-exchange';
import type { Fields, Item, OriginalStyle } from './original-style';

/** Where a client runs and what it knows. */
export interface OriginalClientOptions {
  readonly style: OriginalStyle;
  readonly api: number;
  /** Ports of further supernodes in its list. Default: none. */
  readonly others?: readonly number[];
  readonly cid: string;
  readonly url: string;
  /** Its peer server; 0: none. */
  readonly port?: number;
  readonly more?: Fields;
  /** Is told of each piece that has come. */
  readonly onPiece?: (pieceNum: number) => void;
  /** Is waited for before each request to a supernode. Default: nothing is waited for. */
  readonly mayAsk?: () => Promise<void>;
}

/** The client gives the supernode up and would fetch from the origin itself (Dragonfly 0.x protocol, 4.5). */
export class BackToSource extends Error {
  constructor(
    readonly reason: number,
    readonly codes: readonly number[],
  ) {
    super(`back to source, reason ${reason}, after ${codes.join(' ')}`);
  }
}

/** How a download ended. */
export interface Downloaded {
  readonly content: Buffer;
  /** From whom each piece came, by its number. */
  readonly sources: ReadonlyMap<number, string>;
  /** The data of the 600 answer. */
  readonly finish: { readonly md5: string; readonly fileLength: number };
  readonly registeredLength: number;
}

/** A result in the client's queue; `start` is the first question after a registration. */
interface Result {
  readonly kind: 'start' | 'arrived' | 'failed';
  readonly range: string;
  readonly dstCid: string;
}

interface Answer {
  readonly code: number;
  readonly data: unknown;
}

interface Registered {
  readonly taskId: string;
  readonly fileLength: number;
  readonly pieceSize: number;
}

const START: Result = { kind: 'start', range: '', dstCid: '' };
/** No code of the protocol. */
const UNREACHABLE: Answer = { code: -1, data: undefined };
const RESULT = { start: 502, arrived: 503, failed: 500 } as const;

/** The times of the original divided by 40, so that tests are quick, in ms. */
const QUEUE_WAIT = 50;
const POLL = 20;
/** A client that is not done after so many questions hangs. */
const MAX_QUESTIONS = 400;

/** A compact model of the main loop of an original dfget (Dragonfly 0.x protocol, 4.2 to 4.4), with a queue, hold-back and migration. */
export class OriginalClient {
  /** The codes of all answers, in order. */
  readonly codes: number[] = [];
  private readonly pieces = new Map<string, 'running' | 'done'>();
  private readonly raw = new Map<number, Buffer>();
  private readonly sources = new Map<number, string>();
  private readonly queue: Result[] = [];
  private readonly arrivals = new EventEmitter();
  private readonly background: Promise<void>[] = [];
  /** The list of supernodes stands there twice. */
  private readonly nodes: number[];
  private node = 0;
  private taskId = '';
  private pieceSize = 0;
  private registeredLength = 0;

  constructor(private readonly options: OriginalClientOptions) {
    const { api, others = [] } = options;
    this.nodes = [api, ...others, api, ...others];
  }

  /** @throws BackToSource; Error where the original would crash or hang. */
  async download(): Promise<Downloaded> {
    await this.register();
    let held: Result | undefined = START;
    for (let questions = 0; questions < MAX_QUESTIONS;) {
      const item: Result | undefined = this.queue.shift() ?? (await this.next());
      const running = [...this.pieces.values()].filter((state) => state === 'running').length;
      if (item?.kind === 'arrived') {
        this.pieces.set(item.range, 'done');
        if (this.queue.length > 0 || running > 3) {
          held = item;
          continue;
        }
      }
      if (item?.kind === 'failed') this.pieces.delete(item.range);
      const asking: Result | undefined = item ?? held;
      held = undefined;
      if (asking === undefined) continue;
      questions += 1;
      const finish = await this.ask(asking);
      if (finish === undefined) continue;
      await Promise.all(this.background);
      return { content: this.content(), sources: this.sources, finish, registeredLength: this.registeredLength };
    }
    throw new Error(`the client hangs; it heard ${this.codes.join(' ')}`);
  }

  private async register(): Promise<void> {
    const { style, cid, url, port = 0, more = {} } = this.options;
    const fields: Fields = {
      superNodeIp: '127.0.0.1',
      rawUrl: url,
      taskUrl: url,
      cid,
      ip: '127.0.0.1',
      hostName: 'node',
      port,
      path: `/peer/file/${cid}.bin`,
      version: '0.4.0',
      callSystem: 'test',
      headers: ['Accept:application/octet-stream', 'X-Client:original'],
      ...more,
    };
    const { type, body } = style.registration(fields);
    for (let node = this.nodes.shift(); node !== undefined; node = this.nodes.shift()) {
      await this.options.mayAsk?.();
      const outgoing = { host: '127.0.0.1', port: node, path: '/peer/registry', headers: { 'content-type': type } };
      // A supernode that cannot be reached is passed over, at registration alone.
      const got = await exchange({ ...outgoing, method: 'POST', body }).catch(() => undefined);
      if (got === undefined) continue;
      const answer = this.read(got);
      if (answer.code !== 200) continue;
      this.node = node;
      const { taskId, fileLength, pieceSize } = answer.data as Registered;
      if (pieceSize !== this.pieceSize) this.pieces.clear();
      this.taskId = taskId;
      this.registeredLength = fileLength;
      this.pieceSize = pieceSize;
      return;
    }
    throw new BackToSource(this.taskId === '' ? 1 : 3, this.codes);
  }

  /** Asks with one result; gives the data of a 600 answer. */
  private async ask(item: Result): Promise<Downloaded['finish'] | undefined> {
    const { cid } = this.options;
    const status = item.kind === 'start' ? 700 : 701;
    const { dstCid, range } = item;
    const fields = { srcCid: cid, dstCid, range, result: RESULT[item.kind], status, taskId: this.taskId };
    for (let polls = 0; polls < MAX_QUESTIONS; polls += 1) {
      const got = await this.api('/peer/task', fields);
      const answer = got === undefined ? UNREACHABLE : this.read(got);
      switch (answer.code) {
        case 600:
          return answer.data as Downloaded['finish'];
        case 601:
          this.begin(answer.data as Item[]);
          return undefined;
        case 602:
          await this.next(POLL);
          continue;
        case 603:
        case 610:
        case 200:
          throw new Error(`original clients hang on code ${answer.code}`);
        default:
          await this.register();
          this.queue.push(START);
          return undefined;
      }
    }
    throw new Error('the client polls for ever');
  }

  private begin(items: readonly Item[]): void {
    if (items.length === 0 || items.length > 4) throw new Error(`a 601 answer lists ${items.length} pieces`);
    for (const item of items) {
      if (item.pieceSize !== this.pieceSize) throw new Error('a piece of another size');
      const state = this.pieces.get(item.range);
      if (state === 'done') this.arrive({ kind: 'arrived', range: item.range, dstCid: item.cid });
      if (state !== undefined) continue;
      this.pieces.set(item.range, 'running');
      this.background.push(this.fetch(item));
    }
  }

  private async fetch(item: Item): Promise<void> {
    const { style, cid, port } = this.options;
    const { range, cid: dstCid, pieceNum } = item;
    const headers = {
      Range: `bytes=${pieceNum * item.pieceSize}-${style.lastByte(item)}`,
      Piecenum: String(pieceNum),
      Piecesize: String(item.pieceSize),
    };
    const from = { host: item.peerIp, port: item.peerPort, path: item.path };
    const got = await exchange({ ...from, headers }).catch(() => undefined);
    if (got?.complete !== true || !style.accepts(item, got.status, got.body)) {
      if (style.reportsErrors && got?.status === 404) {
        const fields = { errorType: 'FILE_NOT_EXIST', srcCid: cid, dstCid, dstIp: '', taskId: this.taskId };
        await this.report('/peer/piece/error', { ...fields, range: '', realMd5: '', expectedMd5: '' });
      }
      this.arrive({ kind: 'failed', range, dstCid });
      return;
    }
    this.raw.set(pieceNum, got.body.subarray(4, -1));
    this.sources.set(pieceNum, dstCid);
    this.options.onPiece?.(pieceNum);
    this.arrive({ kind: 'arrived', range, dstCid });
    if (port === undefined) return;
    await this.report('/peer/piece/suc', { taskId: this.taskId, cid, dstCid, pieceRange: range });
  }

  private async report(path: string, fields: Fields): Promise<void> {
    const got = await this.api(path, fields);
    if (got !== undefined) this.read(got);
  }

  /** Undefined when the supernode cannot be reached and that is no crash. */
  private async api(path: string, fields: Fields): Promise<Exchange | undefined> {
    const { style, mayAsk } = this.options;
    await mayAsk?.();
    const got = exchange({ host: '127.0.0.1', port: this.node, path: `${path}?${style.query(fields)}` });
    return style.migratesWhenUnreachable ? got.catch(() => undefined) : got;
  }

  /** Any status but 200 and any body but JSON is a crash of dfget 0.3.0 to 0.4.2. */
  private read({ status, body }: Exchange): Answer {
    if (status !== 200) throw new Error(`dfget panics on HTTP status ${status}`);
    const answer = JSON.parse(body.toString()) as Answer;
    this.codes.push(answer.code);
    return answer;
  }

  private arrive(result: Result): void {
    this.queue.push(result);
    this.arrivals.emit('result');
  }

  /** The next result, or nothing for a while. */
  private async next(limit = QUEUE_WAIT): Promise<Result | undefined> {
    const timeout = AbortSignal.timeout(limit);
    await once(this.arrivals, 'result', { signal: timeout }).catch((error: unknown) => {
      if (!timeout.aborted) throw error;
    });
    return limit === QUEUE_WAIT ? this.queue.shift() : undefined;
  }

  private content(): Buffer {
    const numbers = [...this.raw.keys()].sort((a, b) => a - b);
    return Buffer.concat(numbers.map((number) => this.raw.get(number) ?? Buffer.alloc(0)));
  }
}
