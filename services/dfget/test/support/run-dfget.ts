import { PassThrough } from 'node:stream';

import { runCommand } from '@cdk8s-dragonfly/command';
import type { CommandMain } from '@cdk8s-dragonfly/command';
import { DFGET, DFGET_DOCTOR, DFGET_PREHEAT } from '@cdk8s-dragonfly/contract';
import type { CommandSpec } from '@cdk8s-dragonfly/contract';
import { downloadFile, examineNode, preheatImage } from '@cdk8s-dragonfly/dfget';

/** What a run came to. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The world around a run. */
export interface Around {
  /** Default: empty. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ctrl-C is hit when it resolves. Default: never. */
  readonly interrupted?: Promise<void>;
}

/** dfget in this process, to its end. */
export async function runDfget(argv: readonly string[], around?: Around): Promise<Ran> {
  return run(DFGET, downloadFile, argv, around);
}

/** `dfget doctor` in this process, to its end. @param proc where it looks for the runtimes that run. */
export async function runDoctor(argv: readonly string[], proc?: string): Promise<Ran> {
  return run(DFGET_DOCTOR, async (values, ctx) => examineNode(values, ctx, proc), argv);
}

/** `dfget preheat` in this process, to its end. */
export async function runPreheat(argv: readonly string[]): Promise<Ran> {
  return run(DFGET_PREHEAT, preheatImage, argv);
}

async function run<const Spec extends CommandSpec>(
  spec: Spec,
  main: CommandMain<Spec>,
  argv: readonly string[],
  { env = {}, interrupted }: Around = {},
): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCommand(spec, main, {
    argv,
    env,
    stdout,
    stderr,
    readFile: () => {
      throw Object.assign(new Error('no file'), { code: 'ENOENT' });
    },
    onSignal: (listener) => {
      void interrupted?.then(() => listener('SIGINT'));
      return () => undefined;
    },
    onUnhandled: () => () => undefined,
  });
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? '').toString();
  return { code, out: text(stdout), err: text(stderr) };
}
