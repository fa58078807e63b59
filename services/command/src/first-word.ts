import type { CommandSpec } from '@cdk8s-dragonfly/contract';
import type { Launch } from './launcher';

/** What the first word of a command line may be when it is no flag, beside `version` and `help`. */
export interface FirstWords {
  /** Commands of their own, such as `dfget preheat`. Default none. */
  readonly commands?: ReadonlyMap<string, Launch>;
  /** What the original had, and what to do instead, as the end of a sentence. */
  readonly gone: ReadonlyMap<string, string>;
}

/**
 * The `main` of a service whose first word decides: `dfget preheat` is a command of its own, `dfdaemon version` the flag, and what the original had
 * besides ends with `spec.usageExitCode` and the advice. Any other command line is that of `launch`.
 */
export function byFirstWord(
  spec: CommandSpec,
  launch: Launch,
  { commands = new Map<string, Launch>(), gone }: FirstWords,
): Launch {
  return async (argv, env) => {
    const [first = '', ...rest] = argv;
    const command = commands.get(first);
    if (command !== undefined) return command(rest, env);
    if (first === 'version') return launch(['--version'], env);
    if (first === 'help') return (commands.get(rest[0] ?? '') ?? launch)(['--help'], env);
    const instead = gone.get(first);
    if (instead === undefined) return launch(argv, env);
    process.stderr.write(`${spec.name}: there is no ${spec.name} ${first}: ${instead}\n`);
    process.exitCode = spec.usageExitCode ?? 2;
  };
}
