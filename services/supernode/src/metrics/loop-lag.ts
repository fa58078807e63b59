import { monitorEventLoopDelay } from 'node:perf_hooks';

import type { Sample } from './registry';

/** How often the loop is looked at, in ms: later than that is lag. */
const RESOLUTION = 20;

const QUANTILES = [0.5, 0.99, 1] as const;

/** By how much the event loop is late. */
export class LoopLag {
  private readonly histogram = monitorEventLoopDelay({ resolution: RESOLUTION });

  start(): void {
    this.histogram.enable();
  }

  stop(): void {
    this.histogram.disable();
  }

  /** Seconds since the last call, by quantile. */
  samples(): readonly Sample[] {
    const { histogram } = this;
    const empty = histogram.count === 0;
    const samples = QUANTILES.map((quantile) => {
      const late = empty ? 0 : histogram.percentile(quantile * 100) / 1e9 - RESOLUTION / 1000;
      return { value: Math.max(0, late), labels: { quantile: String(quantile) } };
    });
    histogram.reset();
    return samples;
  }
}
