/** The part of cli-progress that the demo uses; the package brings no types. */
declare module 'cli-progress' {
  interface Options {
    readonly format: string;
    readonly stream: NodeJS.WritableStream;
    readonly hideCursor: boolean;
    readonly clearOnComplete: boolean;
    readonly fps: number;
    readonly barsize: number;
  }

  interface SingleBar {
    update(value: number, payload: Readonly<Record<string, string>>): void;
  }

  class MultiBar {
    constructor(options: Options);
    create(total: number, startValue: number, payload: Readonly<Record<string, string>>): SingleBar;
    stop(): void;
  }
}
