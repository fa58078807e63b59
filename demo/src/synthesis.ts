import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '@cdk8s-dragonfly/command';

/** How long a synthesis may take, in milliseconds. */
const LIMIT = 60_000;
/** As much of the output as a message repeats, in characters. */
const LONGEST_REASON = 400;

export interface Synthesis {
  /** The root of this repository, with `cdk8s.yaml`. */
  readonly root: string;
  /**
   * The app, a command line.
   *
   * @default - what cdk8s.yaml says
   */
  readonly app?: string;
  /**
   * The folder for the manifests, which is emptied first.
   *
   * @default - what cdk8s.yaml says, dist
   */
  readonly output?: string;
  /** Variables for the app, besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs `cdk8s synth`.
 *
 * @throws CommandError with the last line that the app wrote when it fails
 */
export async function synthesize({ root, app, output, env }: Synthesis): Promise<void> {
  const args = ['synth', '--no-check-upgrade'];
  if (app !== undefined) args.push('--app', app);
  if (output !== undefined) args.push('--output', output);
  const child = spawn(process.execPath, [cdk8sCommand(), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    // Not in the terminal's process group: Ctrl-C must not end it between emptying and filling dist/.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-16 * 1024);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0)
    throw new CommandError(`cdk8s synth failed${output === undefined ? '' : ' for the demo'}: ${reasonIn(text)}`);
}

/** The app of the demo, for the registry of this run. */
export function demoApp(root: string, registry: string, output: string): Synthesis {
  return {
    root,
    output,
    app: 'node -r ts-node/register/transpile-only demo/app/main.ts',
    env: { TS_NODE_PROJECT: join(root, 'src', 'tsconfig.json'), DEMO_REGISTRY: registry },
  };
}

function cdk8sCommand(): string {
  const manifest = require.resolve('cdk8s-cli/package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly bin: Readonly<Record<string, string>> };
  return join(manifest, '..', bin['cdk8s'] ?? 'bin/cdk8s');
}

function reasonIn(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const telling =
    lines.find((line) => /^(?:\w*Error|error): /.test(line)) ?? lines.filter((line) => line !== '').at(-1);
  return (telling ?? 'it said nothing').slice(0, LONGEST_REASON);
}
