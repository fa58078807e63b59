import { SizeRoundingBehavior } from 'cdk8s';
import type { Size } from 'cdk8s';

/** The whole MiB of a size. cdk8s rounds what it converts, and a size in MiB it does not: flags take whole numbers. */
export function wholeMebibytes(size: Size): number {
  return Math.floor(size.toMebibytes({ rounding: SizeRoundingBehavior.FLOOR }));
}
