/** With what a question for the pulse begins. */
export const PULSE_MAGIC = 'dfpulse1';

/** Bytes that make one question differ from all others: only who has heard it can answer. */
export const PULSE_NONCE = 16;

/** Behind the question that it repeats, an answer says in 4 bytes, big-endian, for how many ms the event loop has stood still. */
const LATE = 4;

/** The UDP port at which a supernode answers questions for its pulse: the one next to its API. Undefined: there is none. */
export function pulsePort(apiPort: number): number | undefined {
  return apiPort > 0 && apiPort < 65_535 ? apiPort + 1 : undefined;
}

/** A question for the pulse. @param nonce {@link PULSE_NONCE} random bytes */
export function pulseQuestion(nonce: Buffer): Buffer {
  return Buffer.concat([Buffer.from(PULSE_MAGIC, 'latin1'), nonce]);
}

/** For how many ms the event loop of who answers has stood still; undefined when it is no answer to that question. */
export function readPulse(question: Buffer, answer: Buffer): number | undefined {
  if (answer.length !== question.length + LATE) return undefined;
  if (!answer.subarray(0, question.length).equals(question)) return undefined;
  return answer.readUInt32BE(question.length);
}
