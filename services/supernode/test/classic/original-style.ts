import { createHash } from 'node:crypto';

/** A piece as a 601 answer names it. */
export interface Item {
  readonly range: string;
  readonly pieceNum: number;
  readonly pieceSize: number;
  readonly pieceMd5: string;
  readonly cid: string;
  readonly peerIp: string;
  readonly peerPort: number;
  readonly path: string;
  readonly downLink: number;
}

/** The fields of a request. */
export type Fields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** In what the original clients differ (Dragonfly 0.x protocol, 2.1, 2.4, 3.3 and 4.4). */
export interface OriginalStyle {
  readonly name: string;
  readonly registration: (fields: Fields) => { readonly type: string; readonly body: string };
  readonly query: (fields: Fields) => string;
  /** The last byte that is asked for, in the framed file. */
  readonly lastByte: (item: Item) => number;
  /** Whether what came is taken as the piece. */
  readonly accepts: (item: Item, status: number, body: Buffer) => boolean;
  /** Whether it reports failures of pieces beside the question that follows. */
  readonly reportsErrors: boolean;
  /** Whether it goes to the next supernode of its list when one cannot be reached; else its process ends. */
  readonly migratesWhenUnreachable: boolean;
}

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

/** dfget 0.3.0 and 0.4.0: JSON, queries unescaped, ranges of full pieces, an empty MD5 is not checked. */
export const GO: OriginalStyle = {
  name: 'dfget 0.4.0',
  registration: (fields) => ({ type: 'application/json;charset=utf-8', body: JSON.stringify(fields) }),
  query: (fields) =>
    Object.entries(fields)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join('&'),
  lastByte: (item) => Number(item.range.split('-')[1]),
  accepts: (item, status, body) =>
    status >= 200 && status < 300 && (item.pieceMd5 === '' || md5(body) === item.pieceMd5.split(':')[0]),
  reportsErrors: true,
  migratesWhenUnreachable: false,
};

/** dfget 0.2.0: a form, queries escaped in another order with more fields, exact ranges, any status, the MD5 is required. */
export const PYTHON: OriginalStyle = {
  name: 'dfget 0.2.0',
  registration: (fields) => {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      for (const one of Array.isArray(value) ? (value as readonly string[]) : [String(value)]) form.append(name, one);
    }
    return { type: 'application/x-www-form-urlencoded', body: form.toString() };
  },
  query: (fields) => {
    const entries = Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]);
    return new URLSearchParams([...entries.reverse(), ['superNode', '127.0.0.1'], ['pieceNum', '0']]).toString();
  },
  lastByte: (item) => {
    const [, length] = item.pieceMd5.split(':');
    if (length === undefined) throw new Error('the thread of dfget 0.2.0 dies without a length in pieceMd5');
    return item.pieceNum * item.pieceSize + Number(length) - 1;
  },
  accepts: (item, _status, body) => md5(body) === item.pieceMd5.split(':')[0],
  reportsErrors: false,
  migratesWhenUnreachable: true,
};
