import { sameMirror } from '../mirror-url';
import { Refusal } from '../refusal';
import { describePosition } from '../text-position';
import { isBlank, type ListEntry, type ListKey, readDaemonJson } from './daemon-json';
import { colonOf, gapBefore, newDocument, splice, withMember, withoutMember } from './json-text';

/** A list of daemon.json as dockerd understands it. */
export interface ListSetting {
  readonly key: ListKey;
  /** Whether the first entry counts more than the others. */
  readonly ordered: boolean;
  /** Whether two entries mean the same. */
  same(a: string, b: string): boolean;
}

/** The mirrors of docker.io, asked in their order. */
export const MIRRORS: ListSetting = { key: 'registry-mirrors', ordered: true, same: sameMirror };

/** Registries whose certificates are not checked, or that are asked by http. */
export const INSECURE: ListSetting = {
  key: 'insecure-registries',
  ordered: false,
  same: (a, b) => plainRegistry(a) === plainRegistry(b),
};

/** dockerd takes a scheme for noise. */
function plainRegistry(given: string): string {
  return given.toLowerCase().replace(/^https?:\/\//, '');
}

/** What putting an entry into a list did: `kept`: it was there; `moved`: it was there, further behind; `added`. */
export type EntryEdit = 'kept' | 'moved' | 'added';

/** An edited text. */
export interface ListEdit {
  readonly text: string;
  readonly edit: EntryEdit;
  readonly keyCreated: boolean;
}

/** The entries in another order, each in the place of another; what is between them stays. */
function withFirst(text: string, entries: readonly ListEntry[], first: number): string {
  const order = [first, ...entries.keys()].filter((from, at) => at === 0 || from !== first);
  return [...entries].reverse().reduce((result, slot, backwards) => {
    const from = entries[order[entries.length - 1 - backwards] ?? 0] ?? slot;
    return splice(result, slot.start, slot.end, text.slice(from.start, from.end));
  }, text);
}

/** The text with an entry in a list, as its first where that counts; all else stays as it is, byte for byte. */
export function withEntry(path: string, text: string, setting: ListSetting, value: string): ListEdit {
  const { key } = setting;
  const quoted = JSON.stringify(value);
  if (isBlank(text)) return { text: newDocument(key, `[${quoted}]`), edit: 'added', keyCreated: true };
  const document = readDaemonJson(path, text);
  const list = document.lists[key];
  if (list === undefined) return { text: withMember(document, key, `[${quoted}]`), edit: 'added', keyCreated: true };
  const { entries, span } = list;
  const found = entries.findIndex((entry) => setting.same(entry.value, value));
  if (found === 0 || (found > 0 && !setting.ordered)) return { text, edit: 'kept', keyCreated: false };
  if (found > 0) return { text: withFirst(text, entries, found), edit: 'moved', keyCreated: false };
  const [first, second] = entries;
  if (first === undefined) {
    return { text: splice(text, span.start, span.end, quoted), edit: 'added', keyCreated: false };
  }
  const inner = gapBefore(text, first.start);
  const single = /[\r\n]/.test(inner) ? inner : /[ \t]$/.test(colonOf(document)) ? ' ' : '';
  const gap = second === undefined ? single : gapBefore(text, second.start);
  return { text: splice(text, first.start, first.start, `${quoted},${gap}`), edit: 'added', keyCreated: false };
}

/**
 * The text without this entry. An empty list goes with its key when `dropEmptyList` is set (when the key was ours),
 * otherwise it stays.
 */
export function withoutEntry(
  path: string,
  text: string,
  setting: ListSetting,
  value: string,
  dropEmptyList: boolean,
): string {
  if (isBlank(text)) return text;
  const document = readDaemonJson(path, text);
  const list = document.lists[setting.key];
  if (list === undefined) return text;
  const { entries, span, member } = list;
  const at = entries.findIndex((entry) => setting.same(entry.value, value));
  const entry = entries[at];
  if (dropEmptyList && entries.length === (entry === undefined ? 0 : 1)) return withoutMember(document, member);
  if (entry === undefined) return text;
  const [previous, next] = [entries[at - 1], entries[at + 1]];
  if (next !== undefined) return splice(text, entry.start, next.start, '');
  if (previous !== undefined) return splice(text, previous.end, entry.end, '');
  return splice(text, span.start, span.end, '');
}

/**
 * The text with an explicitly empty list. A running dockerd forgets what it has of a list only by this: when the key is missing at
 * a reload, the old entries stay.
 */
export function withEmptyList(path: string, text: string, key: ListKey): string {
  if (isBlank(text)) return newDocument(key, '[]');
  const document = readDaemonJson(path, text);
  const list = document.lists[key];
  if (list === undefined) return withMember(document, key, '[]');
  return splice(text, list.span.start, list.span.end, '');
}

/** The entries of a list in a text; `undefined` when it has no such list. */
export function entriesIn(path: string, text: string, key: ListKey): readonly string[] | undefined {
  return isBlank(text) ? undefined : readDaemonJson(path, text).lists[key]?.entries.map((entry) => entry.value);
}

/**
 * Refuses mirrors of others that dockerd would not start with: as long as it runs it keeps silent about them.
 *
 * @param version of dockerd; `''`: not known
 * @throws Refusal with line and column
 */
export function checkMirrors(path: string, text: string, version: string): void {
  if (isBlank(text)) return;
  const { lists } = readDaemonJson(path, text);
  const takesPaths = Number(/^\d+/.exec(version)?.[0] ?? '99') >= 23;
  for (const { value, start } of lists['registry-mirrors']?.entries ?? []) {
    const fault = mirrorFault(value, takesPaths);
    if (fault === undefined) continue;
    throw new Refusal(
      `${path}, ${describePosition(text, start)}: a mirror ${fault}, with which dockerd does not start again: correct or remove it; nothing was changed`,
    );
  }
}

function mirrorFault(value: string, takesPaths: boolean): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || !/^https?:\/\//i.test(value)) {
    return 'that is no http or https URL';
  }
  if (url.username !== '' || url.password !== '') return 'with a user or password';
  if (/[?#]/.test(value)) return 'with a query or fragment';
  return !takesPaths && url.pathname !== '/' ? 'with a path' : undefined;
}

/** Whether a text says nothing at all: blank, or an object without members. */
export function saysNothing(path: string, text: string): boolean {
  return isBlank(text) || readDaemonJson(path, text).members.length === 0;
}
