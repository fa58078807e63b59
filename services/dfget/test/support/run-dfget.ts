import { PassThrough } from 'node:stream';

import { runCommand } from '@cdk8s-dragonfly/command';
import { DFGET } from '@cdk8s-dragonfly/contract';
import { downloadFile } from '@cdk8s-dragonfly/dfget';

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
export async function runDfget(argv: readonly string[], { env = {}, interrupted }: Around = {}): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCommand(DFGET, downloadFile, {
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
