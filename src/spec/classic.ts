/**
 * Refuses props that the classic installation has no place for, which is one text with few gaps.
 *
 * @throws Error naming the prop and what to do.
 */
export function checkClassic(props: object, allowed: readonly string[]): void {
  for (const [prop, value] of Object.entries(props)) {
    if (value !== undefined && !allowed.includes(prop)) {
      throw new Error(
        `${prop} has no place in the classic installation: leave out ${prop} or classic, or change the object with WirePatch.`,
      );
    }
  }
}
