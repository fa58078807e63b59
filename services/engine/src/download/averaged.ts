/** How long something takes, where the last times weigh more. @param before what this gave before; 0: nothing has been measured. */
export function averaged(before: number, took: number): number {
  return before === 0 ? took : 0.8 * before + 0.2 * took;
}
