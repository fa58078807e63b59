import { OriginError } from '../src';

/** The OriginError that a promise rejects with; any other outcome fails the test. */
export async function originError(promise: Promise<unknown>): Promise<OriginError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof OriginError) {
      return error;
    }
    throw error;
  }
  throw new Error('it resolved, though an OriginError was expected');
}
