import { sameMirror } from '../mirror-url';
import { type DaemonJson, isBlank, MIRRORS_KEY, readDaemonJson } from './daemon-json';

/** What putting a mirror first did: `kept`: it was there, first; `moved`: it was there, further behind; `added`. */
export type MirrorEdit = 'kept' | 'moved' | 'added';

function splice(text: string, start: number, end: number, insert: string): string {
  return text.slice(0, start) + insert + text.slice(end);
}

/** The white space right before an offset. */
function gapBefore(text: string, offset: number): string {
  return /[ \t\r\n]*$/.exec(text.slice(0, offset))?.[0] ?? '';
}

/** What stands between a key and its value in this document, white space included. */
function colon(document: DaemonJson): string {
  const first = document.members[0];
  if (first === undefined) return ': ';
  return /[ \t\r\n]*:[ \t\r\n]*$/.exec(document.text.slice(first.keyStart, first.valueStart))?.[0] ?? ': ';
}

function newDocument(value: string, eol = '\n'): string {
  return `{${eol}  "${MIRRORS_KEY}": ${value}${eol}}${eol}`;
}

/** The document with one member more, last, formatted as its neighbours. */
function withMember(document: DaemonJson, value: string): string {
  const { text, body } = document;
  const last = document.members.at(-1);
  if (last === undefined) {
    const eol = text.includes('\r\n') ? '\r\n' : '\n';
    return splice(text, body.start, body.end, `${eol}  "${MIRRORS_KEY}": ${value}${eol}`);
  }
  const between = colon(document);
  const gap = gapBefore(text, last.keyStart);
  const member = `"${MIRRORS_KEY}"${/[\r\n]/.test(between) ? ': ' : between}${value}`;
  return splice(text, last.valueEnd, last.valueEnd, `,${gap === '' && / $/.test(between) ? ' ' : gap}${member}`);
}

/** The text with the mirror as the first of `registry-mirrors`; all else stays as it is, byte for byte. */
export function withMirrorFirst(
  path: string,
  text: string,
  mirror: string,
): { readonly text: string; readonly edit: MirrorEdit; readonly keyCreated: boolean } {
  const quoted = JSON.stringify(mirror);
  if (isBlank(text)) return { text: newDocument(`[${quoted}]`), edit: 'added', keyCreated: true };
  const document = readDaemonJson(path, text);
  if (document.mirrors === undefined) {
    return { text: withMember(document, `[${quoted}]`), edit: 'added', keyCreated: true };
  }
  const { entries, span } = document.mirrors;
  const found = entries.findIndex((entry) => sameMirror(entry.value, mirror));
  if (found === 0) return { text, edit: 'kept', keyCreated: false };
  const [first, second] = entries;
  if (first === undefined) {
    return { text: splice(text, span.start, span.end, quoted), edit: 'added', keyCreated: false };
  }
  if (found > 0) {
    const order = [found, ...entries.keys()].filter((from, at) => at === 0 || from !== found);
    const moved = [...entries].reverse().reduce((result, slot, backwards) => {
      const from = entries[order[entries.length - 1 - backwards] ?? 0] ?? slot;
      return splice(result, slot.start, slot.end, text.slice(from.start, from.end));
    }, text);
    return { text: moved, edit: 'moved', keyCreated: false };
  }
  const inner = gapBefore(text, first.start);
  const single = /[\r\n]/.test(inner) ? inner : /[ \t]$/.test(colon(document)) ? ' ' : '';
  const gap = second === undefined ? single : gapBefore(text, second.start);
  return { text: splice(text, first.start, first.start, `${quoted},${gap}`), edit: 'added', keyCreated: false };
}

/**
 * The text without this mirror. An empty list goes with its key when `dropEmptyList` is set (when the key was ours),
 * otherwise it stays.
 */
export function withoutMirror(path: string, text: string, mirror: string, dropEmptyList: boolean): string {
  if (isBlank(text)) return text;
  const document = readDaemonJson(path, text);
  if (document.mirrors === undefined) return text;
  const { entries, span, member } = document.mirrors;
  const at = entries.findIndex((entry) => sameMirror(entry.value, mirror));
  const entry = entries[at];
  if (dropEmptyList && entries.length === (entry === undefined ? 0 : 1)) return withoutMember(document, member);
  if (entry === undefined) return text;
  const [previous, next] = [entries[at - 1], entries[at + 1]];
  if (next !== undefined) return splice(text, entry.start, next.start, '');
  if (previous !== undefined) return splice(text, previous.end, entry.end, '');
  return splice(text, span.start, span.end, '');
}

function withoutMember(document: DaemonJson, at: number): string {
  const { text, body, members } = document;
  const [previous, member, next] = [members[at - 1], members[at], members[at + 1]];
  if (member === undefined) return text;
  if (previous !== undefined) return splice(text, previous.valueEnd, member.valueEnd, '');
  if (next !== undefined) return splice(text, member.keyStart, next.keyStart, '');
  return splice(text, body.start, body.end, '');
}

/**
 * The text with an explicitly empty `registry-mirrors`. A running dockerd forgets its mirrors only by this: when the key
 * is missing at a reload, the old ones stay.
 */
export function withEmptyList(path: string, text: string): string {
  if (isBlank(text)) return newDocument('[]');
  const document = readDaemonJson(path, text);
  if (document.mirrors === undefined) return withMember(document, '[]');
  return splice(text, document.mirrors.span.start, document.mirrors.span.end, '');
}

/** The mirrors that a text names; `undefined` when it has no list. */
export function mirrorsIn(path: string, text: string): readonly string[] | undefined {
  return isBlank(text) ? undefined : readDaemonJson(path, text).mirrors?.entries.map((entry) => entry.value);
}

/** Whether a text says nothing at all: blank, or an object without members. */
export function saysNothing(path: string, text: string): boolean {
  return isBlank(text) || readDaemonJson(path, text).members.length === 0;
}
