import { formatBytes, formatDuration } from '@cdk8s-dragonfly/command';
import type { Traffic } from '@cdk8s-dragonfly/engine';
import { SingleBar } from 'cli-progress';

/** How often the bar is drawn in a terminal, and a line written elsewhere, in milliseconds. */
const DRAW_EVERY = 200;
const LINE_EVERY = 2000;

/** The rate is that of the last so many milliseconds. */
const RATE_OVER = 3000;

/** Characters of the bar itself. */
const BAR = 24;

/** How far a download is. */
export interface Standing {
  /** In bytes; undefined while it is not known. */
  readonly size: number | undefined;
  /** What an earlier run had left, in bytes. */
  readonly resumed: number;
  readonly traffic: Traffic;
}

/** What a rate is made from. */
export interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** Shows how far a download is: a bar in a terminal, else a line now and then. */
export class Progress {
  private readonly bar: SingleBar;
  private readonly samples: Sample[] = [];
  private readonly drawing: NodeJS.Timeout;

  /**
   * @param output standard error: standard output is for the result.
   * @param look is asked at each drawing.
   */
  constructor(
    output: NodeJS.WritableStream,
    private readonly look: () => Standing,
  ) {
    this.bar = new SingleBar({
      stream: output,
      format: () => this.line(),
      clearOnComplete: false,
      hideCursor: true,
      linewrap: false,
      noTTYOutput: true,
      notTTYSchedule: LINE_EVERY,
      fps: 1000 / DRAW_EVERY,
      emptyOnZero: true,
    });
    this.bar.start(1, 0);
    this.drawing = setInterval(() => this.draw(), DRAW_EVERY);
  }

  /** Draws the last state and leaves it there. */
  stop(): void {
    clearInterval(this.drawing);
    this.draw();
    this.bar.stop();
  }

  private draw(): void {
    const { size, ...standing } = this.look();
    const got = gotOf(standing);
    this.bar.setTotal(Math.max(1, size ?? 1));
    this.bar.update(size === undefined ? 0 : Math.min(got, Math.max(1, size)));
  }

  private line(): string {
    const standing = this.look();
    const now = performance.now();
    const { peer, supernode, origin } = standing.traffic;
    this.samples.push({ at: now, bytes: peer + supernode + origin });
    while (this.samples.length > 2 && (this.samples[0]?.at ?? now) < now - RATE_OVER) this.samples.shift();
    return progressLine(standing, rateOf(this.samples));
  }
}

/** Bytes a second between the first sample and the last; undefined while there is too little to tell. */
function rateOf(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < 100) return undefined;
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
}

/** One line on how far a download is, how fast, and where it comes from. */
export function progressLine(standing: Standing, rate: number | undefined): string {
  const { size, resumed, traffic } = standing;
  const got = gotOf(standing);
  const parts: string[] = [];
  if (size === undefined) parts.push(formatBytes(got));
  else {
    const share = size === 0 ? 1 : Math.min(1, got / size);
    const full = Math.floor(share * BAR);
    parts.push(`${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${Math.floor(share * 100)}%`);
    parts.push(`${formatBytes(Math.min(got, size))} of ${formatBytes(size)}`);
  }
  if (rate !== undefined) {
    parts.push(`${formatBytes(rate)}/s`);
    if (size !== undefined && rate > 0 && got < size)
      parts.push(`${formatDuration(((size - got) / rate) * 1000)} left`);
  }
  const sources = [
    ['peers', traffic.peer],
    ['supernode', traffic.supernode],
    ['origin', traffic.origin],
    ['earlier run', resumed],
  ] as const;
  const split = sources.filter(([, bytes]) => bytes > 0).map(([name, bytes]) => `${name} ${formatBytes(bytes)}`);
  return [...parts, ...split].join('  ');
}

/** How many bytes are here, or came. */
export function gotOf({ resumed, traffic: { peer, supernode, origin } }: Omit<Standing, 'size'>): number {
  return resumed + peer + supernode + origin;
}
