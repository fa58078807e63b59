/** What a name for an object may be. */
export const NAME =
  'use 1 to 63 lower-case letters, digits and dashes, starting with a letter and ending with a letter or digit.';

/** The message of the error that an action throws. */
export function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message : `no Error: ${String(error)}`;
  }
  return 'nothing was thrown';
}
