import type { Member, Span } from './daemon-json';

/** An object in a text: what is between its braces, and its members in order. */
export interface ObjectText {
  readonly text: string;
  readonly body: Span;
  readonly members: readonly Member[];
}

/** The text with `insert` in the place of what stands from `start` to before `end`. */
export function splice(text: string, start: number, end: number, insert: string): string {
  return text.slice(0, start) + insert + text.slice(end);
}

/** The white space right before an offset. */
export function gapBefore(text: string, offset: number): string {
  return /[ \t\r\n]*$/.exec(text.slice(0, offset))?.[0] ?? '';
}

/** What stands between a key and its value in this object, white space included. */
export function colonOf({ text, members }: ObjectText): string {
  const first = members[0];
  if (first === undefined) return ': ';
  return /[ \t\r\n]*:[ \t\r\n]*$/.exec(text.slice(first.keyStart, first.valueStart))?.[0] ?? ': ';
}

/** A whole document with one member. */
export function newDocument(key: string, value: string): string {
  return `{\n  ${JSON.stringify(key)}: ${value}\n}\n`;
}

/** The text with one member more in an object, last, formatted as its neighbours. */
export function withMember(object: ObjectText, key: string, value: string): string {
  const { text, body } = object;
  const last = object.members.at(-1);
  if (last === undefined) {
    const eol = text.includes('\r\n') ? '\r\n' : '\n';
    return splice(text, body.start, body.end, `${eol}  ${JSON.stringify(key)}: ${value}${eol}`);
  }
  const between = colonOf(object);
  const gap = gapBefore(text, last.keyStart);
  const member = `${JSON.stringify(key)}${/[\r\n]/.test(between) ? ': ' : between}${value}`;
  return splice(text, last.valueEnd, last.valueEnd, `,${gap === '' && / $/.test(between) ? ' ' : gap}${member}`);
}

/** The text without one member of an object, by its place. */
export function withoutMember({ text, body, members }: ObjectText, at: number): string {
  const [previous, member, next] = [members[at - 1], members[at], members[at + 1]];
  if (member === undefined) return text;
  if (previous !== undefined) return splice(text, previous.valueEnd, member.valueEnd, '');
  if (next !== undefined) return splice(text, member.keyStart, next.keyStart, '');
  return splice(text, body.start, body.end, '');
}
