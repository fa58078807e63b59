import { parse } from 'smol-toml';

/** One header or key/value pair of a TOML text, with its place; offsets are UTF-16 units. */
export interface Statement {
  readonly kind: 'table' | 'array' | 'pair';
  /** The dotted key as its parts: `[a."b.c"]` is `['a', 'b.c']`. Of a pair, as it is written, below its table. */
  readonly path: readonly string[];
  /** Where the statement itself begins: behind the indentation. */
  readonly start: number;
  /** Behind its line end, the remark on the same line included. */
  readonly end: number;
  /** Of a pair: where the value stands. */
  readonly value?: { readonly start: number; readonly end: number };
}

/** The end of the string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  const quote = text.charAt(at);
  const long = text.startsWith(quote.repeat(3), at);
  const mark = long ? quote.repeat(3) : quote;
  let end = at + mark.length;
  while (end < text.length && !text.startsWith(mark, end)) {
    end += quote === '"' && text.charAt(end) === '\\' ? 2 : 1;
  }
  end += mark.length;
  // A long string may end in up to two more of its quotes.
  while (long && text.charAt(end) === quote) end += 1;
  return end;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

/** The first offset from `at` on that is outside strings, brackets and remarks and holds one of `stops`. */
function find(text: string, at: number, stops: string): number {
  let depth = 0;
  for (let index = at; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (depth === 0 && stops.includes(char)) return index;
    if (char === '"' || char === "'") index = stringEnd(text, index) - 1;
    else if (char === '[' || char === '{') depth += 1;
    else if (char === ']' || char === '}') depth -= 1;
    else if (char === '#') index = lineEnd(text, index) - 2;
  }
  return text.length;
}

/** The parts of a dotted key, as the parser reads them. */
function partsOf(key: string): readonly string[] {
  const parts: string[] = [];
  let value: unknown = parse(`${key} = 0`);
  while (typeof value === 'object' && value !== null) {
    const [entry] = Object.entries(value);
    if (entry === undefined) break;
    parts.push(entry[0]);
    value = entry[1];
  }
  return parts;
}

function header(text: string, start: number): Statement {
  const array = text.startsWith('[[', start);
  const inner = start + (array ? 2 : 1);
  const close = find(text, inner, ']');
  return {
    kind: array ? 'array' : 'table',
    path: partsOf(text.slice(inner, close)),
    start,
    end: lineEnd(text, close),
  };
}

function pair(text: string, start: number): Statement {
  const equals = find(text, start, '=');
  const stop = find(text, equals + 1, '#\n');
  const value = text.slice(equals + 1, stop);
  const from = equals + 1 + (value.length - value.trimStart().length);
  return {
    kind: 'pair',
    path: partsOf(text.slice(start, equals)),
    start,
    end: lineEnd(text, stop),
    value: { start: from, end: equals + 1 + value.trimEnd().length },
  };
}

/**
 * The statements of a TOML text in order. What lies between them is white space and remarks.
 *
 * @param text valid: the parser has accepted it
 */
export function statementsOf(text: string): readonly Statement[] {
  const statements: Statement[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (/\s/.test(char)) at += 1;
    else if (char === '#') at = lineEnd(text, at);
    else {
      const statement = char === '[' ? header(text, at) : pair(text, at);
      statements.push(statement);
      at = statement.end;
    }
  }
  return statements;
}

/** A table of a text: its header and the pairs that belong to it. */
export interface Block {
  readonly header: Statement;
  readonly pairs: readonly Statement[];
  /** Behind the last pair, or the header when there is none. */
  readonly end: number;
}

/** The tables of a text in order; the pairs before the first header are not among them. */
export function blocksOf(statements: readonly Statement[]): readonly Block[] {
  const blocks: { readonly header: Statement; readonly pairs: Statement[]; end: number }[] = [];
  for (const statement of statements) {
    if (statement.kind !== 'pair') {
      blocks.push({ header: statement, pairs: [], end: statement.end });
      continue;
    }
    const block = blocks.at(-1);
    block?.pairs.push(statement);
    if (block !== undefined) block.end = statement.end;
  }
  return blocks;
}

/** Whether a path is this one, or begins with it. */
export function isBelow(path: readonly string[], above: readonly string[]): boolean {
  return above.every((part, index) => path[index] === part);
}
