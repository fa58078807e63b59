import type { CommandSpec, FlagSpec, ValueSpec } from '@cdk8s-dragonfly/contract';
import { placeholderOf, usageOf } from './arguments';

const WIDTH = 100;
/** Names longer than this stand on a line of their own. */
const WIDEST_NAME = 32;

/** What `--help` prints, made from the contract alone: at most 100 columns, ends with a line feed. */
export function helpText(spec: CommandSpec): string {
  const flags = Object.values(spec.flags);
  const rows = [
    ...flags.map((flag): Row => [nameOf(flag), textOf(flag)]),
    ['  -h, --help', 'Show this text and exit.'] as const,
    ['  -v, --version', 'Show the version and exit.'] as const,
  ];
  const sections = [[usageLine(spec)], wrap(spec.summary, WIDTH)];
  if (spec.argument) sections.push(['Arguments:', ...columns([[`  ${spec.argument.name}`, spec.argument.text]])]);
  sections.push(['Flags:', ...columns(rows)]);
  const lists = Object.values(spec.lists ?? {}).flatMap(({ key, text, fields }): Row[] => [
    [`  ${key}`, text],
    ...Object.entries(fields).map(([name, field]): Row => [`    - ${name}`, textOf(field)]),
  ]);
  if (lists.length > 0) sections.push(['Lists in the configuration file:', ...columns(lists)]);
  const others = flags.flatMap(({ flag, among }): Row[] =>
    among === undefined ? [] : [[`  ${among.key}`, `but for --${flag}: ${among.text}`]],
  );
  const keys = [...others, ...(spec.ignoredKeys ?? []).map(({ key, text }): Row => [`  ${key}`, text])];
  if (keys.length > 0) sections.push(['Keys of the configuration file without effect:', ...columns(keys)]);
  sections.push(wrap(rules(flags), WIDTH));
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

type Row = readonly [name: string, text: string];

function usageLine(spec: CommandSpec): string {
  const required = Object.values(spec.flags).filter((flag) => flag.required === true);
  const words = required.map((flag) => ` --${flag.flag} ${placeholderOf(flag)}`);
  return `Usage: ${usageOf(spec)}${words.join('')} [flags]`;
}

function nameOf(flag: FlagSpec): string {
  const short = flag.short === undefined ? '      ' : `  -${flag.short}, `;
  return `${short}--${flag.flag}${flag.type === 'boolean' ? '' : ` ${placeholderOf(flag)}`}`;
}

function textOf(flag: ValueSpec & Partial<FlagSpec>): string {
  const facts: string[] = [];
  if (flag.required === true) facts.push('required');
  if (flag.noEffect !== undefined) facts.push(`no effect: ${flag.noEffect}`);
  if (flag.repeatable === true) facts.push(flag.commas === true ? 'repeatable or a list with commas' : 'repeatable');
  if (flag.choices) facts.push(`one of ${flag.choices.join(', ')}`);
  if (flag.default !== undefined) facts.push(`default ${flag.default}`);
  if (flag.env !== undefined) facts.push(`env ${flag.env}`);
  if (flag.key !== undefined) facts.push(`key ${flag.key}`);
  if (flag.among !== undefined) facts.push(`also in the key ${flag.among.key}`);
  return facts.length === 0 ? flag.text : `${flag.text} (${facts.join('; ')})`;
}

function rules(flags: readonly FlagSpec[]): string {
  const sources = ['A flag'];
  if (flags.some(({ env }) => env !== undefined)) sources.push('the environment (env)');
  if (flags.some(({ key }) => key !== undefined)) sources.push('the configuration file (key)');
  const precedence = [...sources, 'the default'].join(', which wins over ').replace(', which', '');
  return `${precedence}. Flags may be written --flag VALUE, --flag=VALUE, or with one dash.`;
}

function columns(rows: readonly Row[]): string[] {
  const names = rows.map(([name]) => name.length).filter((length) => length <= WIDEST_NAME);
  const indent = Math.max(0, ...names) + 2;
  return rows.flatMap(([name, text]) => {
    const [first = '', ...rest] = wrap(text, WIDTH - indent);
    const more = rest.map((line) => ' '.repeat(indent) + line);
    if (name.length + 2 > indent) return [name, ' '.repeat(indent) + first, ...more];
    return [name.padEnd(indent) + first, ...more];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
