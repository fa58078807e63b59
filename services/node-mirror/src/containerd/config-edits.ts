import { blocksOf, isBelow } from '../toml/statements';
import { quoted, readToml, refusalAt, type TomlText, valueAt } from '../toml/toml-text';

/** Where each version of containerd's configuration keeps the registries of its CRI plugin. */
const PLUGINS: Readonly<Record<string, string>> = {
  '2': 'io.containerd.grpc.v1.cri',
  '3': 'io.containerd.cri.v1.images',
  // Of containerd 2.3: of what stands here only the address of its socket has moved.
  '4': 'io.containerd.cri.v1.images',
};

const KEY = 'config_path';

/** Settings with which containerd 2.1 and later pull by themselves, and not by their transfer service, where a file has them. */
export interface LocalPull {
  readonly asked?: boolean;
  readonly forDiscard?: boolean;
}

/** What a config.toml says that matters to mirrors. */
export interface CriRegistry {
  /** The number of its form; 1 where it says none. */
  readonly version: number;
  /** Whether it turns the CRI plugin off. */
  readonly criOff: boolean;
  /** The folder, or list of folders, with hosts.toml files; `''`: none. Absent: it does not say, and containerd's default counts. */
  readonly configPath?: string;
  /** Whether it has mirrors in the form before hosts.toml. */
  readonly hasMirrors: boolean;
  readonly localPull: LocalPull;
  /** The files that it takes in. */
  readonly imports: readonly string[];
  /** The address of its API socket. */
  readonly address?: string;
}

/** The path of the table of registries, in the form of this version. */
function registryTable(version: number): readonly string[] {
  return ['plugins', PLUGINS[String(version)] ?? '', 'registry'];
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item: unknown) => typeof item === 'string') : [];

function hasEntries(table: unknown): boolean {
  return Object.keys(Object(table) as object).length > 0;
}

/** Reads a config.toml. @throws Refusal with line and column when it is not valid */
export function readCriRegistry(title: string, content: string): CriRegistry {
  const { value } = readToml(title, content);
  const version = Number(valueAt(value, 'version') ?? 1);
  const off = ['cri', ...Object.values(PLUGINS)];
  const grpc = version >= 4 ? ['plugins', 'io.containerd.server.v1.grpc'] : ['grpc'];
  const address = text(valueAt(value, ...grpc, 'address'));
  const table = registryTable(version);
  const configPath = valueAt(value, ...table, KEY);
  return {
    version,
    criOff: texts(valueAt(value, 'disabled_plugins')).some((name) => off.includes(name)),
    ...(configPath === undefined ? {} : { configPath: text(configPath) }),
    hasMirrors: hasEntries(valueAt(value, ...table, 'mirrors')),
    localPull: localPullOf(value, version),
    imports: texts(valueAt(value, 'imports')),
    ...(address === '' ? {} : { address }),
  };
}

function localPullOf(value: unknown, version: number): LocalPull {
  const plugin = ['plugins', PLUGINS[String(version)] ?? ''];
  const asked = version >= 3 ? valueAt(value, ...plugin, 'use_local_image_pull') : undefined;
  const table = version >= 3 ? plugin : [...plugin, 'containerd'];
  const forDiscard = valueAt(value, ...table, 'discard_unpacked_layers');
  return {
    ...(typeof asked === 'boolean' ? { asked } : {}),
    ...(typeof forDiscard === 'boolean' ? { forDiscard } : {}),
  };
}

/** Whether a text that another file imports has a word in the tables of the CRI plugin. */
export function touchesCri(title: string, content: string): boolean {
  const { value } = readToml(title, content);
  return Object.values(PLUGINS).some((plugin) => valueAt(value, 'plugins', plugin) !== undefined);
}

/** The place of the first header at or below a path; of the file's beginning when the path is made otherwise. */
function placeOf(toml: TomlText, path: readonly string[]): number {
  return blocksOf(toml.statements).find(({ header }) => isBelow(header.path, path))?.header.start ?? 0;
}

/** @throws Refusal for what does not go together with `config_path` */
function checkConflicts(toml: TomlText, table: readonly string[], major: number): void {
  const mirrors = [...table, 'mirrors'];
  if (hasEntries(valueAt(toml.value, ...mirrors))) {
    throw refusalAt(
      toml,
      placeOf(toml, mirrors),
      'registry.mirrors, with which containerd does not load its CRI plugin once config_path is set: move these mirrors into hosts.toml files first',
    );
  }
  const configs = Object(valueAt(toml.value, ...table, 'configs')) as Readonly<Record<string, unknown>>;
  const tls = Object.keys(configs).find((host) => valueAt(configs[host], 'tls') !== undefined);
  if (tls !== undefined && major < 2) {
    throw refusalAt(
      toml,
      placeOf(toml, [...table, 'configs', tls, 'tls']),
      `registry.configs."${tls}".tls, with which containerd does not load its CRI plugin once config_path is set: move it into the hosts.toml of ${tls} first`,
    );
  }
}

/** A complete config.toml where containerd has none. */
function newConfig(folder: string, major: number): string {
  const version = major >= 2 ? 3 : 2;
  const [, plugin = ''] = registryTable(version);
  return `version = ${version}\n\n[plugins.${quoted(plugin)}.registry]\n  ${KEY} = ${quoted(folder)}\n`;
}

/**
 * The text with `config_path` set; all else stays as it is, byte for byte.
 *
 * @param content without byte order mark; blank for a file that says nothing
 * @param major containerd's version: 1 or 2
 * @throws Refusal with line and column when containerd would not take it, or it cannot be set with certainty
 */
export function withConfigPath(title: string, content: string, folder: string, major: number): string {
  if (content.trim() === '') return newConfig(folder, major);
  const toml = readToml(title, content);
  const { version } = readCriRegistry(title, content);
  if (!Object.hasOwn(PLUGINS, String(version))) {
    const versionAt = toml.statements.find(({ path, kind }) => kind === 'pair' && path[0] === 'version');
    throw refusalAt(
      toml,
      versionAt?.start ?? 0,
      `the form of this file is version ${version}${versionAt === undefined ? ', as it names none,' : ''} and its CRI settings would be ignored: write it anew as version 2 (containerd config migrate), restart containerd and run again`,
    );
  }
  const table = registryTable(version);
  if (valueAt(toml.value, ...table, KEY) === folder) return content;
  checkConflicts(toml, table, major);
  const after = edited(toml, table, folder);
  const result = readToml(`${title} with ${KEY} set`, after);
  if (valueAt(result.value, ...table, KEY) !== folder) {
    throw refusalAt(toml, 0, `${KEY} cannot be set here with certainty: set it by hand and restart containerd`);
  }
  return after;
}

function edited(toml: TomlText, table: readonly string[], folder: string): string {
  const { text: content, statements } = toml;
  const block = blocksOf(statements).find(
    ({ header }) => header.kind === 'table' && header.path.length === table.length && isBelow(header.path, table),
  );
  const eol = content.includes('\r\n') ? '\r\n' : '\n';
  const line = `${KEY} = ${quoted(folder)}`;
  if (block !== undefined) {
    const own = block.pairs.find(({ path }) => path.length === 1 && path[0] === KEY);
    if (own?.value !== undefined) {
      return content.slice(0, own.value.start) + quoted(folder) + content.slice(own.value.end);
    }
    const { start, end } = block.header;
    const indent = content.slice(content.lastIndexOf('\n', start - 1) + 1, start);
    const head = content.slice(0, end);
    return `${head.endsWith('\n') ? head : head + eol}${indent}  ${line}${eol}${content.slice(end)}`;
  }
  if (valueAt(toml.value, ...table) !== undefined && !definesBelow(toml, table)) {
    throw refusalAt(
      toml,
      0,
      `the table ${table.join('.')} is written inline, where ${KEY} cannot be set with certainty: set it by hand and restart containerd`,
    );
  }
  const gap = content.endsWith('\n') ? eol : eol + eol;
  const name = table.map((part) => (/^[\w-]+$/.test(part) ? part : quoted(part))).join('.');
  return `${content}${gap}[${name}]${eol}  ${line}${eol}`;
}

/** Whether the table exists only through headers of tables below it, so that it may still get one of its own. */
function definesBelow(toml: TomlText, table: readonly string[]): boolean {
  return blocksOf(toml.statements).some(({ header }) => isBelow(header.path, table));
}

/**
 * The text without `config_path`, when it is still the folder that was set.
 *
 * @param former what it was before; `''`: there was none
 */
export function withoutConfigPath(title: string, content: string, folder: string, former: string): string {
  const toml = readToml(title, content);
  const { version } = readCriRegistry(title, content);
  const table = registryTable(version);
  const block = blocksOf(toml.statements).find(
    ({ header }) => header.path.length === table.length && isBelow(header.path, table),
  );
  const own = block?.pairs.find(({ path }) => path.length === 1 && path[0] === KEY);
  if (block === undefined || own === undefined || valueAt(toml.value, ...table, KEY) !== folder) return content;
  if (former !== '' && own.value !== undefined) {
    return content.slice(0, own.value.start) + quoted(former) + content.slice(own.value.end);
  }
  const start = content.lastIndexOf('\n', own.start - 1) + 1;
  return content.slice(0, start) + content.slice(own.end);
}
