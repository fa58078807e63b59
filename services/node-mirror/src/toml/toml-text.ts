import { parse, TomlError, type TomlTable } from 'smol-toml';
import { reasonOf } from '../files/errno';
import { Refusal } from '../refusal';
import { describePosition } from '../text-position';
import { decodeUtf8 } from '../utf8';
import { type Statement, statementsOf } from './statements';

/** A TOML file as text, its statements and what they mean. */
export interface TomlText {
  readonly title: string;
  /** Without byte order mark. */
  readonly text: string;
  readonly statements: readonly Statement[];
  readonly value: TomlTable;
}

/** A refusal of a file because of what stands at an offset. */
export function refusalAt(toml: TomlText, offset: number, what: string): Refusal {
  return new Refusal(`${toml.title}, ${describePosition(toml.text, offset)}: ${what}; nothing was changed`);
}

/**
 * Reads a TOML text.
 *
 * @param title how messages name the file
 * @throws Refusal with line and column when it is not valid
 */
export function readToml(title: string, text: string): TomlText {
  try {
    const value = parse(text);
    return { title, text, value, statements: statementsOf(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = reasonOf(error).split('\n');
    const what = first.replace(/^Invalid TOML document: /, '');
    throw new Refusal(
      `${title}, line ${error.line}, column ${error.column}: not valid TOML: ${what}; correct the file; nothing was changed`,
      { cause: error },
    );
  }
}

/** A file's bytes as text, without byte order mark; of no file, the empty text. @throws Refusal when they are not UTF-8 */
export function decodeToml(title: string, bytes: Buffer | undefined): string {
  return bytes === undefined ? '' : decodeUtf8(title, bytes);
}

/** A value below a table, by its path; `undefined` when there is none. */
export function valueAt(table: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Readonly<Record<string, unknown>>)[key];
  }, table);
}

/** A text as TOML writes it. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}
