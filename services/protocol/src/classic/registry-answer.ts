import { z } from 'zod';
import { isPieceSize } from '../grid';
import { readAnswer, type ClassicAnswer } from './answer';
import { RESULT_CODE } from './codes';

/** What a successful registration tells the client. */
export interface Registration {
  /** The classic task id, 64 lowercase hexadecimal digits. */
  readonly taskId: string;
  /** The raw length of the origin's file in bytes; undefined when it is not known yet. */
  readonly length: number | undefined;
  /** The framed size of a full piece in bytes. */
  readonly pieceSize: number;
}

/**
 * The success answer to `POST /peer/registry` (Dragonfly 0.x protocol, 2.1). `fileLength` is the raw length there, -1 if unknown.
 *
 * @param native our own member for clients that offered the native protocol
 */
export function registeredAnswer({ taskId, length, pieceSize }: Registration, native?: object): ClassicAnswer {
  return {
    code: RESULT_CODE.success,
    msg: 'success',
    data: { taskId, fileLength: length ?? -1, pieceSize },
    ...(native === undefined ? {} : { native }),
  };
}

/** What a supernode answered to a registration. */
export type RegistryAnswer =
  | {
      readonly kind: 'registered';
      readonly registration: Registration;
      /** The member of a native supernode as it came; undefined from an original one. */
      readonly native: unknown;
    }
  /** The supernode said no: {@link RESULT_CODE} tells why. */
  | { readonly kind: 'refused'; readonly code: number; readonly msg: string; readonly native: unknown }
  /** No answer of the protocol: as good as no supernode. */
  | { readonly kind: 'unusable'; readonly fault: string };

const DATA = z.object({
  taskId: z.string().regex(/^[0-9a-f]{64}$/),
  fileLength: z.int(),
  pieceSize: z.int().refine(isPieceSize),
});

/** Reads an answer to a registration, of this project's and of original supernodes. Total. */
export function parseRegistryAnswer(status: number, body: string): RegistryAnswer {
  const answer = readAnswer(status, body);
  if (!answer.ok) return { kind: 'unusable', fault: answer.fault };
  if (answer.code !== RESULT_CODE.success) {
    return { kind: 'refused', code: answer.code, msg: answer.msg, native: answer.native };
  }
  const { success, data } = DATA.safeParse(answer.data);
  if (status !== 200 || !success) {
    const fault = 'The supernode took the registration, but its data has no usable taskId, fileLength and pieceSize.';
    return { kind: 'unusable', fault };
  }
  const { taskId, fileLength, pieceSize } = data;
  const length = fileLength < 0 ? undefined : fileLength;
  return { kind: 'registered', registration: { taskId, length, pieceSize }, native: answer.native };
}
