import { CommandError, parseCommand, UsageError, type Address, type ReadFile } from '@cdk8s-dragonfly/command';
import type { CommandSpec, FlagSpec } from '@cdk8s-dragonfly/contract';

/** A flag with its name in code. */
export interface NamedFlag {
  readonly name: string;
  readonly flag: FlagSpec;
}

/** What a command makes of its arguments, environment and configuration file: the values in force, whoever set them. */
export class FlagSettings {
  private constructor(
    private readonly spec: CommandSpec,
    private readonly values: ReadonlyMap<string, unknown>,
    private readonly argv: readonly string[],
  ) {}

  /**
   * @param owner whose arguments these are, for the message
   * @throws CommandError when the command would refuse them
   */
  static parse(
    spec: CommandSpec,
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
    readFile: ReadFile,
    owner: string,
  ): FlagSettings {
    try {
      return new FlagSettings(spec, new Map(Object.entries(parseCommand(spec, argv, { env, readFile }))), argv);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new CommandError(`${owner} starts ${spec.name} wrongly: ${error.message}`, 1, { cause: error });
    }
  }

  flags(): readonly NamedFlag[] {
    return Object.entries(this.spec.flags).map(([name, flag]) => ({ name, flag }));
  }

  /** The value of a text flag (path, ip, string); undefined when nothing sets it. */
  text(name: string): string | undefined {
    const value = this.values.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  /** The milliseconds of a duration flag; undefined when nothing sets it. */
  milliseconds(name: string): number | undefined {
    const value = this.values.get(name);
    return this.spec.flags[name]?.type === 'duration' && typeof value === 'number' ? value : undefined;
  }

  /** The bytes of a size flag; undefined when nothing sets it. */
  bytes(name: string): number | undefined {
    const value = this.values.get(name);
    return this.spec.flags[name]?.type === 'size' && typeof value === 'number' ? value : undefined;
  }

  /** The addresses of a flag of type `address`, repeatable or not. */
  addresses(name: string): readonly Address[] {
    const value = this.values.get(name);
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.filter((item): item is Address => typeof item === 'object' && item !== null && 'host' in item);
  }

  /** The flags that say where the command listens, with the ports in force. */
  listeners(): readonly (NamedFlag & { readonly port: number })[] {
    return this.flags().flatMap((named) => {
      const port = isListenAddress(named.flag) ? this.addresses(named.name)[0]?.port : this.values.get(named.name);
      return (named.flag.type === 'port' || isListenAddress(named.flag)) && typeof port === 'number'
        ? [{ ...named, port }]
        : [];
    });
  }

  /** The arguments as they were given, without those of the flags in `names`. */
  argsWithout(names: ReadonlySet<string>): readonly string[] {
    const kept: string[] = [];
    for (let index = 0; index < this.argv.length; index++) {
      const word = this.argv[index] ?? '';
      const [dashed = ''] = word.split('=', 1);
      const found = this.flags().find(({ flag }) => isWordOf(flag, dashed));
      const words = [word];
      if (found && !word.includes('=') && found.flag.type !== 'boolean') words.push(this.argv[++index] ?? '');
      if (!found || !names.has(found.name)) kept.push(...words);
    }
    return kept;
  }
}

/** Whether an address flag says where to listen, not whom to call. */
export function isListenAddress(flag: FlagSpec): boolean {
  return flag.type === 'address' && flag.flag.endsWith('-listen');
}

function isWordOf(flag: FlagSpec, dashed: string): boolean {
  return [`--${flag.flag}`, `-${flag.flag}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])].includes(dashed);
}
