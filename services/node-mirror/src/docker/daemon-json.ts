import { printParseErrorCode, visit } from 'jsonc-parser';
import { reasonOf } from '../files/errno';
import { Refusal } from '../refusal';
import { jsonFault } from './json-faults';
import { describePosition } from '../text-position';

/** The key of dockerd's list of mirrors. */
export const MIRRORS_KEY = 'registry-mirrors';

/** Deeper documents are refused: dockerd's own limit is 10,000, and no configuration comes near it. */
const MAX_DEPTH = 500;

/** From `start` up to and without `end`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One member of the top-level object: where its key starts and where its value stands. */
export interface Member {
  readonly key: string;
  readonly keyStart: number;
  readonly valueStart: number;
  valueEnd: number;
}

/** One string of the list of mirrors. */
export interface MirrorEntry extends Span {
  readonly value: string;
}

/** A daemon.json as text, with the places that edits need. */
export interface DaemonJson {
  readonly text: string;
  /** Between the braces of the top-level object. */
  readonly body: Span;
  readonly members: readonly Member[];
  /** The list of mirrors, when the document has one. */
  readonly mirrors?: { readonly member: number; readonly span: Span; readonly entries: readonly MirrorEntry[] };
}

/** An object or list that is being read: where it starts, and the keys seen in it. */
interface Container {
  readonly start: number;
  readonly keys: Map<string, number>;
}

/** Reads a document by the scanner's events and refuses what dockerd would not take or an edit could not keep. */
class Reader {
  private readonly containers: Container[] = [];
  private readonly members: Member[] = [];
  private readonly entries: MirrorEntry[] = [];
  private pending: { key: string; keyStart: number } | undefined;
  private body: Span | undefined;
  private list: { member: number; span: Span } | undefined;

  constructor(
    private readonly path: string,
    private readonly text: string,
  ) {}

  read(): DaemonJson {
    visit(
      this.text,
      {
        onObjectBegin: (offset) => this.begin(offset, '{'),
        onObjectEnd: (offset, length) => this.end(offset, length),
        onArrayBegin: (offset) => this.begin(offset, '['),
        onArrayEnd: (offset, length) => this.end(offset, length),
        onObjectProperty: (key, offset) => this.key(key, offset),
        onLiteralValue: (value: unknown, offset, length) => this.literal(value, offset, length),
        onError: (code, offset) => {
          const fault = jsonFault(this.text, offset, printParseErrorCode(code));
          this.refuse(fault.offset, fault.what);
        },
      },
      { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false },
    );
    const body = this.body ?? this.refuse(0, 'not valid JSON');
    const mirrors = this.list === undefined ? {} : { mirrors: { ...this.list, entries: this.entries } };
    return { text: this.text, body, members: this.members, ...mirrors };
  }

  private refuse(offset: number, what: string): never {
    throw new Refusal(
      `${this.path}, ${describePosition(this.text, offset)}: ${what}; correct the file; nothing was changed`,
    );
  }

  private inMirrors(): boolean {
    return this.containers.length >= 2 && this.members.at(-1)?.key === MIRRORS_KEY;
  }

  private begin(offset: number, bracket: '{' | '['): void {
    if (this.containers.length === 0 && bracket === '[') {
      this.refuse(offset, 'the top level is a list, and dockerd wants an object');
    }
    if (this.inMirrors()) this.refuse(offset, `"${MIRRORS_KEY}" holds something other than strings`);
    if (this.containers.length === 1) {
      if (this.member(offset).key === MIRRORS_KEY && bracket === '{') this.refuseMirrors(offset);
    }
    if (this.containers.length >= MAX_DEPTH) this.refuse(offset, `nested more than ${MAX_DEPTH} deep`);
    this.containers.push({ start: offset, keys: new Map() });
  }

  private end(offset: number, length: number): void {
    const start = this.containers.pop()?.start ?? 0;
    const member = this.members.at(-1);
    if (this.containers.length === 0) this.body = { start: start + 1, end: offset };
    if (this.containers.length !== 1 || member === undefined) return;
    member.valueEnd = offset + length;
    if (member.key === MIRRORS_KEY) {
      this.list = { member: this.members.length - 1, span: { start: start + 1, end: offset } };
    }
  }

  private key(key: string, offset: number): void {
    const keys = this.containers.at(-1)?.keys;
    const first = keys?.get(key);
    if (first !== undefined) {
      this.refuse(
        offset,
        `the key "${key}" stands twice in one object (first in ${describePosition(this.text, first)})`,
      );
    }
    keys?.set(key, offset);
    if (this.containers.length !== 1) return;
    if (key !== MIRRORS_KEY && key.toLowerCase() === MIRRORS_KEY) {
      this.refuse(offset, `the key "${key}" is not known to dockerd, which spells it "${MIRRORS_KEY}"`);
    }
    this.pending = { key, keyStart: offset };
  }

  private literal(value: unknown, offset: number, length: number): void {
    if (this.containers.length === 0) {
      this.refuse(offset, 'the top level is a single value, and dockerd wants an object');
    }
    if (this.inMirrors()) {
      if (typeof value !== 'string') this.refuse(offset, `"${MIRRORS_KEY}" holds something other than strings`);
      this.entries.push({ value, start: offset, end: offset + length });
    }
    if (this.containers.length !== 1) return;
    const member = this.member(offset);
    if (member.key === MIRRORS_KEY) this.refuseMirrors(offset);
    member.valueEnd = offset + length;
  }

  private refuseMirrors(offset: number): never {
    this.refuse(offset, `"${MIRRORS_KEY}" is not a list of strings`);
  }

  /** Opens the member whose value starts here. */
  private member(valueStart: number): Member {
    const pending = this.pending ?? this.refuse(valueStart, 'a key in double quotes is missing');
    const member = { ...pending, valueStart, valueEnd: valueStart };
    this.members.push(member);
    return member;
  }
}

/** Whether a text holds nothing: node-mirror treats it as a missing file, though dockerd 20.10 does not start with it. */
export function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

/**
 * The places of a daemon.json that edits need.
 *
 * @param path how messages name the file
 * @param text without byte order mark, not blank
 * @throws Refusal with line and column for what is no JSON (comments and trailing commas too), a top level that is no
 * object, a repeated key in any object, and a `registry-mirrors` that is not a list of strings.
 */
export function readDaemonJson(path: string, text: string): DaemonJson {
  const document = new Reader(path, text).read();
  try {
    JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${path}: not valid JSON: ${reasonOf(error)}; correct the file; nothing was changed`, {
      cause: error,
    });
  }
  return document;
}

/**
 * A file's bytes as text, without its byte order mark.
 *
 * @throws Refusal with line and column when they are not UTF-8.
 */
export function decodeDaemonJson(path: string, bytes: Buffer): string {
  const text = bytes.toString('utf8');
  const again = Buffer.from(text, 'utf8');
  if (!again.equals(bytes)) {
    const wrong = bytes.findIndex((byte, index) => byte !== again[index]);
    const where = describePosition(bytes.subarray(0, wrong).toString('utf8'), wrong);
    throw new Refusal(`${path}, ${where}: not UTF-8; correct the file; nothing was changed`);
  }
  return text.replace(/^\uFEFF/, '');
}
