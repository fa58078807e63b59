import { isIP } from 'node:net';
import type { ValueSpec } from '@cdk8s-dragonfly/contract';
import { readAddress } from './address';
import { DURATION_FORM, readDuration, writeDuration } from './duration';
import { UsageError } from './errors';
import { quote } from './quote';
import { OR_RATE, RATE_FORM, readMebibytes, readRate, writeMebibytes } from './rate';
import { readSize, SIZE_FORM, writeSize } from './size';
import { withoutWeight } from './weights';

/**
 * The value of a flag, or of a field of a list, from the texts that set it, in the type that the contract gives it.
 * @param texts What was given; more than one only from a repeatable flag.
 * @param where Who gave it, for the message: `--port`, `the environment variable REGISTRY`.
 * @throws UsageError that says where, what was given, and what is allowed.
 */
export function flagValue(flag: ValueSpec, texts: readonly string[], where: string): unknown {
  if (flag.repeatable === true) {
    const parts = flag.commas === true ? texts.flatMap((text) => text.split(',').map((part) => part.trim())) : texts;
    return Object.freeze(parts.map((part) => oneValue(flag, part, where)));
  }
  const [text, ...more] = texts;
  if (text === undefined) throw new UsageError(`${where} has no value; it must be ${allowed(flag)}`);
  if (more.length > 0) throw new UsageError(`${where} is given ${texts.length} times; give it once`);
  return oneValue(flag, text, where);
}

function oneValue(flag: ValueSpec, text: string, where: string): unknown {
  const value = read(flag, text);
  if (value === undefined || (typeof value === 'number' && !isInRange(flag, value))) {
    throw new UsageError(`${where} must be ${allowed(flag)}, not ${quote(text)}`);
  }
  return value;
}

function read(flag: ValueSpec, text: string): unknown {
  switch (flag.type) {
    case 'string':
      return text === '' && flag.commas === true ? undefined : text;
    case 'path':
      return text === '' || text.includes('\0') ? undefined : text;
    case 'integer':
    case 'port':
      return readInteger(text);
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'size':
      return readSize(text);
    case 'duration':
      return readDuration(text);
    case 'seconds':
      return readDuration(/^\d+$/.test(text) ? `${text}s` : text);
    case 'minutes':
      return readDuration(/^\d+$/.test(text) ? `${text}m` : text);
    case 'rate':
      return readRate(text);
    case 'mebibytes':
      return readMebibytes(text);
    case 'url':
      return readUrl(text);
    case 'ip':
      return isIP(text) === 0 ? undefined : text;
    case 'address':
      return readAddress(flag.weighted === true ? withoutWeight(text) : text, flag.min ?? 1);
    case 'choice':
      return flag.choices?.includes(text) === true ? text : undefined;
  }
}

function readInteger(text: string): number | undefined {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

function readUrl(text: string): URL | undefined {
  return /^https?:\/\/[^\s/]\S*$/i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}

/** Integers are not negative unless the contract says so; ports end at 65535. */
function limits(flag: ValueSpec): { readonly min: number; readonly max: number } {
  const isPort = flag.type === 'port';
  return { min: flag.min ?? (isPort ? 1 : 0), max: flag.max ?? (isPort ? 65_535 : Number.POSITIVE_INFINITY) };
}

function isInRange(flag: ValueSpec, value: number): boolean {
  const { min, max } = limits(flag);
  return value >= min && value <= max;
}

/** What a flag takes, as the end of the sentence "it must be …". */
function allowed(flag: ValueSpec): string {
  switch (flag.type) {
    case 'string':
      return 'a text that is not empty';
    case 'path':
      return 'a path';
    case 'integer':
      return `a whole number${range(flag, String)}`;
    case 'port':
      return `a port${range(flag, String)}`;
    case 'boolean':
      return 'true or false';
    case 'size':
      return `${SIZE_FORM}${range(flag, writeSize)}`;
    case 'duration':
      return `${DURATION_FORM}${range(flag, writeDuration)}`;
    case 'seconds':
    case 'minutes':
      return `a number of ${flag.type}, or ${DURATION_FORM}${range(flag, writeDuration)}`;
    case 'rate':
      return RATE_FORM;
    case 'mebibytes':
      return `a whole number of MiB a second${range(flag, writeMebibytes)}, ${OR_RATE}`;
    case 'url':
      return 'an absolute http or https URL';
    case 'ip':
      return 'an IPv4 or IPv6 address';
    case 'address':
      return `HOST or HOST:PORT (IPv6 in brackets, port ${flag.min ?? 1} to 65535)`;
    case 'choice':
      return orList(flag.choices ?? []);
  }
}

function range(flag: ValueSpec, write: (value: number) => string): string {
  const { min, max } = limits(flag);
  if (Number.isFinite(max)) return ` from ${write(min)} to ${write(max)}`;
  return flag.min === undefined || flag.min === 0 ? '' : `, at least ${write(min)}`;
}

/** `a`, `a or b`, `a, b or c`. */
export function orList(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
