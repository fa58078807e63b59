import { z } from 'zod';

import { jsonOf } from '../json';
import { RESULT_CODE } from './codes';

/** The document that a supernode answers with, always with HTTP status 200 (Dragonfly 0.x protocol, 2). */
export interface ClassicAnswer {
  readonly code: number;
  readonly msg?: string;
  readonly data?: unknown;
  /** Our own member, which original clients ignore. */
  readonly native?: object;
}

/** What a supernode answered, as far as its document can be read. */
export type ReadAnswer =
  | { readonly ok: true; readonly code: number; readonly msg: string; readonly data: unknown; readonly native: unknown }
  | { readonly ok: false; readonly fault: string };

const DOCUMENT = z.object({
  code: z.int(),
  msg: z.string().nullish(),
  data: z.unknown().optional(),
  native: z.unknown().optional(),
});

const ERROR_DOCUMENT = z.object({ message: z.string() });

/**
 * Reads the document of an answer. The original Go supernode puts errors into an HTTP 500 whose inner text is no valid JSON
 * (Dragonfly 0.x protocol, 2.1 and T24): code and message are cut out of it. Total.
 */
export function readAnswer(status: number, body: string): ReadAnswer {
  const document = jsonOf(body);
  if (status === 200) {
    const { success, data } = DOCUMENT.safeParse(document);
    if (!success)
      return { ok: false, fault: 'The supernode answered 200 without a document that has a whole number as code.' };
    return {
      ok: true,
      code: data.code,
      msg: data.msg ?? '',
      data: data.data ?? undefined,
      native: data.native ?? undefined,
    };
  }
  const inner = ERROR_DOCUMENT.safeParse(document).data?.message;
  const [, code, msg] = /^\{"Code":(\d{1,9}),"Msg":"(.*)"\}\s*$/s.exec(inner ?? '') ?? [];
  if (code === undefined || msg === undefined) {
    return { ok: false, fault: `The supernode answered with HTTP status ${status} instead of 200.` };
  }
  return { ok: true, code: Number(code), msg, data: undefined, native: undefined };
}

/** The answer to piece reports and leaves, also about what the supernode does not know (Dragonfly 0.x protocol, 9). */
export function successAnswer(): ClassicAnswer {
  return { code: RESULT_CODE.success, msg: 'success' };
}

/** An answer without data, such as a refusal of a parser. */
export function failureAnswer(code: number, msg: string, native?: object): ClassicAnswer {
  return { code, msg, ...(native === undefined ? {} : { native }) };
}
