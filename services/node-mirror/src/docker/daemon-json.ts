import { printParseErrorCode, visit } from 'jsonc-parser';
import { reasonOf } from '../files/errno';
import { Refusal } from '../refusal';
import { jsonFault } from './json-faults';
import { describePosition } from '../text-position';

/** The lists of dockerd's configuration that node-mirror adds to. */
const LIST_KEYS = ['registry-mirrors', 'insecure-registries'] as const;
export type ListKey = (typeof LIST_KEYS)[number];

/** The key of the proxies that dockerd pulls through. */
export const PROXIES_KEY = 'proxies';

/** Deeper documents are refused: dockerd's own limit is 10,000, and no configuration comes near it. */
const MAX_DEPTH = 500;

/** From `start` up to and without `end`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One member of an object: where its key starts and where its value stands. */
export interface Member {
  readonly key: string;
  readonly keyStart: number;
  readonly valueStart: number;
  valueEnd: number;
}

/** A string of a list. */
export interface ListEntry extends Span {
  readonly value: string;
}

/** A list of strings at the top level. */
export interface StringList {
  /** Its place among the members. */
  readonly member: number;
  /** Between its brackets. */
  readonly span: Span;
  readonly entries: readonly ListEntry[];
}

/** An object whose members are all strings. */
export interface StringObject {
  /** Its place among the members. */
  readonly member: number;
  /** Between its braces. */
  readonly body: Span;
  readonly members: readonly (Member & { readonly value: string })[];
}

/** A daemon.json as text, with the places that edits need. */
export interface DaemonJson {
  readonly text: string;
  /** Between the braces of the top-level object. */
  readonly body: Span;
  readonly members: readonly Member[];
  readonly lists: Readonly<Partial<Record<ListKey, StringList>>>;
  readonly proxies?: StringObject;
}

/** An object or list that is being read: where it starts, and the keys seen in it. */
interface Container {
  readonly start: number;
  readonly keys: Map<string, number>;
}

const isListKey = (key: string | undefined): key is ListKey => LIST_KEYS.some((known) => known === key);

/** Reads a document by the scanner's events and refuses what dockerd would not take or an edit could not keep. */
class Reader {
  private readonly containers: Container[] = [];
  private readonly members: Member[] = [];
  private readonly lists: Partial<Record<ListKey, StringList>> = {};
  private entries: ListEntry[] = [];
  private proxies: StringObject | undefined;
  private proxyMembers: (Member & { readonly value: string })[] = [];
  private pending: { key: string; keyStart: number } | undefined;
  private body: Span | undefined;

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
    const { text, members, lists, proxies } = this;
    return { text, body, members, lists, ...(proxies === undefined ? {} : { proxies }) };
  }

  private refuse(offset: number, what: string): never {
    throw new Refusal(
      `${this.path}, ${describePosition(this.text, offset)}: ${what}; correct the file; nothing was changed`,
    );
  }

  /** The key at the top level below which the reader is. */
  private get above(): string | undefined {
    return this.containers.length >= 2 ? this.members.at(-1)?.key : undefined;
  }

  private begin(offset: number, bracket: '{' | '['): void {
    if (this.containers.length === 0 && bracket === '[') {
      this.refuse(offset, 'the top level is a list, and dockerd wants an object');
    }
    const { above } = this;
    if (isListKey(above) || above === PROXIES_KEY) this.refuse(offset, `"${above}" holds something other than strings`);
    if (this.containers.length === 1) {
      const { key } = this.member(offset);
      if (bracket === '{') this.refuseList(key, offset);
      else this.refuseProxies(key, offset);
    }
    if (this.containers.length >= MAX_DEPTH) this.refuse(offset, `nested more than ${MAX_DEPTH} deep`);
    this.containers.push({ start: offset, keys: new Map() });
  }

  private end(offset: number, length: number): void {
    const start = this.containers.pop()?.start ?? 0;
    const member = this.members.at(-1);
    const span = { start: start + 1, end: offset };
    if (this.containers.length === 0) this.body = span;
    if (this.containers.length !== 1 || member === undefined) return;
    member.valueEnd = offset + length;
    const at = this.members.length - 1;
    if (isListKey(member.key)) {
      this.lists[member.key] = { member: at, span, entries: this.entries };
      this.entries = [];
    }
    if (member.key === PROXIES_KEY) this.proxies = { member: at, body: span, members: this.proxyMembers };
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
    if (this.containers.length === 1) {
      const known = [...LIST_KEYS, PROXIES_KEY].find((name) => name === key.toLowerCase());
      if (known !== undefined && known !== key) {
        this.refuse(offset, `the key "${key}" is not known to dockerd, which spells it "${known}"`);
      }
    }
    if (this.containers.length === 1 || this.above === PROXIES_KEY) this.pending = { key, keyStart: offset };
  }

  private literal(value: unknown, offset: number, length: number): void {
    const { above } = this;
    const end = offset + length;
    if (this.containers.length === 0) {
      this.refuse(offset, 'the top level is a single value, and dockerd wants an object');
    }
    if (isListKey(above) || above === PROXIES_KEY) {
      if (typeof value !== 'string') this.refuse(offset, `"${above}" holds something other than strings`);
      if (above !== PROXIES_KEY) this.entries.push({ value, start: offset, end });
      else if (this.pending !== undefined) {
        this.proxyMembers.push({ ...this.pending, valueStart: offset, valueEnd: end, value });
      }
    }
    if (this.containers.length !== 1) return;
    const member = this.member(offset);
    this.refuseList(member.key, offset);
    this.refuseProxies(member.key, offset);
    member.valueEnd = end;
  }

  private refuseList(key: string, offset: number): void {
    if (isListKey(key)) this.refuse(offset, `"${key}" is not a list of strings`);
  }

  private refuseProxies(key: string, offset: number): void {
    if (key === PROXIES_KEY) this.refuse(offset, `"${key}" is not an object`);
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
 * object, a repeated key in any object, lists that are not lists of strings, and `proxies` that are not an object of strings.
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
