/** Numbers of which quantiles are wanted. */
export class Quantiles {
  private readonly values: number[] = [];

  get count(): number {
    return this.values.length;
  }

  add(value: number): void {
    this.values.push(value);
  }

  /** The smallest value that a part `quantile` (0 to 1) of all is not above; NaN when there are none. */
  at(quantile: number): number {
    const sorted = Float64Array.from(this.values).sort();
    return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? NaN;
  }
}
