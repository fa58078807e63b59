import { isDeepStrictEqual } from 'node:util';

import {
  framedLength,
  parsePeerTaskRequest,
  parsePieceSuccess,
  parseRegistryRequest,
  parseServiceDown,
  pieceCount,
  pieceMd5Of,
  pieceSizeOf,
  taskIdOf,
} from '@cdk8s-dragonfly/protocol';

import type { Item } from './original-style';
import type { RecordedFile, RecordedOrigin } from './recorded-origin';

/** An answer of the control API. */
export interface ProfileAnswer {
  readonly code: number;
  readonly msg?: string;
  readonly data?: unknown;
}

/** What an answer has to be. */
export interface Rule {
  /** For messages. */
  readonly wanted: string;
  readonly fits: (answer: ProfileAnswer) => boolean;
}

/** This document, and no other member. */
function exactly(document: ProfileAnswer): Rule {
  const wanted = JSON.stringify(document);
  return { wanted, fits: (answer) => isDeepStrictEqual(answer, document) };
}

/** A code with a sentence, and nothing else. */
function refused(...codes: readonly number[]): Rule {
  return {
    wanted: `code ${codes.join(' or ')} and a sentence`,
    fits: ({ code, msg, ...rest }) => codes.includes(code) && (msg ?? '') !== '' && Object.keys(rest).length === 0,
  };
}

function anyOf(rules: readonly Rule[]): Rule {
  const wanted = rules.map((rule) => rule.wanted).join(' or ');
  return { wanted, fits: (answer) => rules.some((rule) => rule.fits(answer)) };
}

const SUCCESS = exactly({ code: 200, msg: 'success' });

interface Client {
  readonly ip: string;
  readonly port: number;
  readonly path: string;
  readonly done: Set<number>;
  readonly disk: Set<number>;
  gone: boolean;
}

interface ProfileTask {
  readonly file: RecordedFile;
  readonly clients: Map<string, Client>;
  /** The MD5 that the client asked for; undefined: none. */
  readonly md5: string | undefined;
}

/**
 * What section 9 of the specification wants a supernode to answer to a sequence of requests whose files are whole: a second, plain
 * account of who has what, which tells the one right answer.
 */
export class Profile {
  private readonly tasks = new Map<string, ProfileTask>();
  /** Tasks whose file has another MD5 than is asked for. */
  private readonly wrong = new Set<string>();

  constructor(
    private readonly origin: RecordedOrigin,
    private readonly pieces: { readonly ip: string; readonly port: number },
  ) {}

  /** Whether the task's file can be had whole. */
  isWhole(taskId: string): boolean {
    return this.tasks.has(taskId);
  }

  /** Takes a registration. */
  registry(body: string): { readonly rule: Rule; readonly taskId: string | undefined } {
    const parsed = parseRegistryRequest(body);
    if (!parsed.ok) return { rule: refused(501), taskId: undefined };
    const { rawUrl, headers, dfdaemon, md5, cid, ip, port, path } = parsed.value;
    const taskId = taskIdOf(parsed.value);
    const file = this.origin.at(rawUrl);
    if (file === undefined) return { rule: refused(607), taskId };
    const known = this.tasks.get(taskId);
    const authorized = headers.some(([name]) => name.toLowerCase() === 'authorization');
    if (known === undefined && file.secret && !authorized) return { rule: refused(dfdaemon ? 608 : 607), taskId };
    const { length } = file.content;
    const pieceSize = pieceSizeOf(length);
    const lengths = file.told ? [length] : [-1, length];
    const answers = lengths.map((fileLength) =>
      exactly({ code: 200, msg: 'success', data: { taskId, fileLength, pieceSize } }),
    );
    const rule = anyOf(answers);
    // With a wrong MD5 it may be known to be wrong already.
    if (md5 !== undefined && /^0+$/.test(md5)) {
      this.wrong.add(taskId);
      return { rule: anyOf([rule, refused(604)]), taskId };
    }
    const task = known ?? { file, clients: new Map<string, Client>(), md5 };
    this.tasks.set(taskId, task);
    task.clients.set(cid, { ip, port, path, done: new Set(), disk: new Set(), gone: false });
    return { rule, taskId };
  }

  /** Takes a question. */
  task(query: string): Rule {
    const parsed = parsePeerTaskRequest(query);
    if (!parsed.ok) return refused(501);
    const { taskId, srcCid } = parsed.value;
    if (this.wrong.has(taskId)) {
      const codes = [601, 602, 604, 605];
      return { wanted: 'anything but the word that it is whole', fits: ({ code }) => codes.includes(code) };
    }
    const task = this.tasks.get(taskId);
    const client = task?.clients.get(srcCid);
    // 604: its origin failed.
    if (task === undefined || client === undefined) return refused(604, 605);
    const { length } = task.file.content;
    const pieceSize = pieceSizeOf(length);
    const count = pieceCount(length, pieceSize);
    if (parsed.value.kind === 'report') {
      const { pieceNum, arrived, pieceSize: told } = parsed.value.outcome;
      if (told === pieceSize && pieceNum < count) {
        if (arrived) client.done.add(pieceNum);
        else client.done.delete(pieceNum);
      }
    }
    if (client.done.size === count) {
      return exactly({ code: 600, data: { md5: task.md5 ?? '', fileLength: framedLength(length, pieceSize) } });
    }
    const most = Math.min(4, count - client.done.size);
    const isRight = this.itemRule(taskId, task, srcCid);
    return {
      wanted: `601 with 1 to ${most} pieces without ${[...client.done].join(' ')}`,
      fits: ({ code, data, ...rest }) =>
        code === 601 &&
        Object.keys(rest).length === 0 &&
        Array.isArray(data) &&
        data.length === most &&
        data.every(isRight),
    };
  }

  /** Takes a report that a piece is on disk. */
  stored(query: string): Rule {
    const parsed = parsePieceSuccess(query);
    if (!parsed.ok) return refused(501);
    const { taskId, cid, pieceNum } = parsed.value;
    const client = this.tasks.get(taskId)?.clients.get(cid);
    client?.done.add(pieceNum);
    client?.disk.add(pieceNum);
    return SUCCESS;
  }

  /** Takes a leave. */
  down(query: string): Rule {
    const parsed = parseServiceDown(query);
    if (!parsed.ok) return refused(501);
    const client = this.tasks.get(parsed.value.taskId)?.clients.get(parsed.value.cid);
    if (client !== undefined) client.gone = true;
    return SUCCESS;
  }

  /** A report of a failed piece is always taken. */
  error(): Rule {
    return SUCCESS;
  }

  /** Whether an item of a 601 answer is one that this client may be told. */
  private itemRule(taskId: string, task: ProfileTask, asking: string): (item: Item) => boolean {
    const { content } = task.file;
    const pieceSize = pieceSizeOf(content.length);
    return (item) => {
      const { pieceNum } = item;
      const mine = task.clients.get(asking);
      const holder = task.clients.get(item.cid);
      const own = { cid: `cdnnode:${this.pieces.ip}~${taskId}`, ...this.pieces };
      const source = holder === undefined ? own : { cid: item.cid, ip: holder.ip, port: holder.port };
      const path = holder?.path ?? `/download/${taskId.slice(0, 3)}/${taskId}`;
      const isFree = holder === undefined || (holder.disk.has(pieceNum) && holder.port > 0 && !holder.gone);
      const expected: Item = {
        range: `${pieceNum * pieceSize}-${(pieceNum + 1) * pieceSize - 1}`,
        pieceNum,
        pieceSize,
        pieceMd5: md5OfPiece(content, pieceNum),
        cid: source.cid,
        peerIp: source.ip,
        peerPort: source.port,
        path,
        downLink: 20_480,
      };
      const isSame = JSON.stringify(item) === JSON.stringify(expected);
      return isSame && isFree && item.cid !== asking && mine?.done.has(pieceNum) === false;
    };
  }
}

const pieceMd5s = new WeakMap<Buffer, Map<number, string>>();

/** As answers tell it. Pieces are told again and again, and hashed once. */
function md5OfPiece(content: Buffer, pieceNum: number): string {
  const known = pieceMd5s.get(content) ?? new Map<number, string>();
  pieceMd5s.set(content, known);
  const pieceSize = pieceSizeOf(content.length);
  const raw = content.subarray(pieceNum * (pieceSize - 5), (pieceNum + 1) * (pieceSize - 5));
  const md5 = known.get(pieceNum) ?? pieceMd5Of([raw], pieceSize);
  known.set(pieceNum, md5);
  return md5;
}
