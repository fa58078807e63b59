import { RESULT_CODE } from './codes';

/** Why a request is refused, in the members that an original client reads. */
export interface ClassicRefusal {
  readonly code: typeof RESULT_CODE.illegalParameter;
  /** One sentence: what was given, what is allowed. */
  readonly msg: string;
}

/** What a total parser of requests gives: the typed request, or the refusal to answer with. */
export type ClassicParse<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: ClassicRefusal };

/** A request that was understood. */
export function accepted<T>(value: T): ClassicParse<T> {
  return { ok: true, value };
}

/** A request that is answered with code 501 and `msg`. */
export function refused(msg: string): { readonly ok: false; readonly refusal: ClassicRefusal } {
  return { ok: false, refusal: { code: RESULT_CODE.illegalParameter, msg } };
}

const SHOWN_LENGTH = 80;

/** A value as a message may show it: as JSON, cut to 80 characters. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : jsonOf(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Of lists in lists in lists the stack is full sooner than when they are read.
    if (error instanceof RangeError) return 'too many lists or objects in one another';
    throw error;
  }
}
