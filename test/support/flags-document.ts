import { DFDAEMON, DFGET, DFGET_DOCTOR, DFGET_PREHEAT, NODE_MIRROR, SUPERNODE } from '@cdk8s-dragonfly/contract';
import type { CommandSpec, FlagSpec, ListSpec, ValueSpec } from '@cdk8s-dragonfly/contract';
import { UNREACHABLE } from '../arrivals/unreachable-flags';

/** Every command. */
export const COMMANDS: readonly CommandSpec[] = [SUPERNODE, DFDAEMON, DFGET, DFGET_PREHEAT, DFGET_DOCTOR, NODE_MIRROR];

/** The text of docs/flags.md. */
export function flagsDocument(): string {
  return [
    '# Flags',
    '',
    'Every flag of every command with its default, the variable of the environment and the key of the configuration file that set the same.',
    'A flag wins over its variable, that over its key. Each command answers `--help` with the same. Values: sizes as `64MiB`, durations as `1.5s`,',
    'rates as `20M` (bytes a second), addresses as `HOST[:PORT]`; a flag that is repeatable is given again for each value.',
    '',
    ...COMMANDS.flatMap(section),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function section(command: CommandSpec): string[] {
  const flags = Object.values<FlagSpec>(command.flags);
  const lists = Object.values<ListSpec>(command.lists ?? {});
  const idle = flags.filter(({ noEffect }) => noEffect !== undefined);
  const ignored = [
    ...flags.flatMap(({ flag, among }) =>
      among === undefined ? [] : [{ key: among.key, text: `but for \`--${flag}\` in it: ${among.text}` }],
    ),
    ...(command.ignoredKeys ?? []),
  ];
  const unreachable = Object.entries(UNREACHABLE[command.name] ?? {});
  return [
    `## ${command.name}`,
    '',
    command.summary,
    '',
    ...(command.argument === undefined
      ? []
      : [`Its argument, \`${command.argument.name}\`: ${command.argument.text}`, '']),
    ...flags.filter(({ noEffect }) => noEffect === undefined).map(line),
    '',
    ...lists.flatMap(({ key, text, fields }) => [
      `A list in the file, \`${key}\`: ${text}`,
      '',
      ...Object.entries(fields).map(([name, field]) => `- \`${name}\`${note(field)}: ${field.text}`),
      '',
    ]),
    ...(idle.length + ignored.length === 0
      ? []
      : [
          'Taken since originals have them, and without effect:',
          '',
          ...idle.map(({ flag, noEffect }) => `- \`--${flag}\`: ${noEffect ?? ''}.`),
          ...ignored.map(({ key, text }) => `- the key \`${key}\`: ${text}.`),
          '',
        ]),
    ...(unreachable.length === 0
      ? []
      : [
          'No prop of the constructs sets these, or all set the same:',
          '',
          ...unreachable.map(([name, why]) => `- \`${nameOf(command, name)}\`: ${why}.`),
          '',
        ]),
  ];
}

function nameOf({ flags, lists = {} }: CommandSpec, name: string): string {
  const flag = flags[name];
  return flag === undefined ? (lists[name]?.key ?? name) : `--${flag.flag}`;
}

function line(spec: FlagSpec): string {
  const { flag, short, env, key, among, text } = spec;
  const names = [`\`--${flag}${placeholder(spec)}\``, ...(short === undefined ? [] : [`\`-${short}\``])];
  const others = [
    ...(env === undefined ? [] : [`variable \`${env}\``]),
    ...(key === undefined ? [] : [`key \`${key}\``]),
    ...(among === undefined ? [] : [`also in the key \`${among.key}\``]),
  ];
  return `- ${names.join(', ')}${note(spec, others)}: ${text}`;
}

function placeholder({ type, placeholder: word }: ValueSpec): string {
  return type === 'boolean' ? '' : ` ${word ?? type.toUpperCase()}`;
}

function note({ default: value, repeatable, required, choices }: ValueSpec, more: readonly string[] = []): string {
  const parts = [
    ...(required === true ? ['required'] : []),
    ...(choices === undefined ? [] : [choices.map((choice) => `\`${choice}\``).join(' ')]),
    ...(value === undefined || value === '' ? [] : [`default \`${value}\``]),
    ...(repeatable === true ? ['repeatable'] : []),
    ...more,
  ];
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}
