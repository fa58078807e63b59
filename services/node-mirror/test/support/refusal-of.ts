import { Refusal } from '../../src/refusal';

/** What a mode was refused with. @throws when it was not refused. */
export async function refusalOf(work: Promise<void>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refusal)) throw new Error(`not refused but ${String(error)}`);
  return error.message;
}
