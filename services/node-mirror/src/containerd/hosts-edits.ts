import { normalisedMirror } from '../mirror-url';
import { type Block, blocksOf, type Statement } from '../toml/statements';
import { quoted, readToml, refusalAt, type TomlText, valueAt } from '../toml/toml-text';

/** What the hosts.toml of a registry is to say. */
export interface WantedHost {
  readonly mirror: string;
  /** Where the registry really is; absent in `_default`, which serves many. */
  readonly server?: string;
  /** How long containerd waits for a connection to the mirror, where its version can be told. */
  readonly dialTimeout?: string;
}

/** What putting the mirror first did. */
export interface HostEdit {
  readonly text: string;
  readonly edit: 'kept' | 'added';
}

const HOST = 'host';
const NEEDED = ['pull', 'resolve'];
const CAPABILITIES = [...NEEDED, 'push'];

function ownBlock({ mirror, dialTimeout }: WantedHost, eol: string): string {
  return [
    `[host.${quoted(mirror)}]`,
    '  capabilities = ["pull", "resolve"]',
    ...(dialTimeout === undefined ? [] : [`  dial_timeout = ${quoted(dialTimeout)}`]),
    '',
  ].join(eol);
}

/** A complete hosts.toml for a registry that has none. */
export function newHostsToml(wanted: WantedHost): string {
  const server = wanted.server === undefined ? '' : `server = ${quoted(wanted.server)}\n\n`;
  return server + ownBlock(wanted, '\n');
}

/** The blocks of hosts, each with the tables below it. */
function hostBlocks(toml: TomlText): readonly Block[] {
  return blocksOf(toml.statements).filter(({ header }) => header.path[0] === HOST);
}

function isOurs(path: readonly string[], mirror: string): boolean {
  return path[0] === HOST && normalisedMirror(path[1] ?? '') === normalisedMirror(mirror);
}

/** The first statement that names a host in another way than by a header of its own. */
function oddHost(toml: TomlText): Statement | undefined {
  let table: readonly string[] = [];
  return toml.statements.find((statement) => {
    if (statement.kind !== 'pair') table = statement.path;
    const path = statement.kind === 'pair' ? [...table, ...statement.path] : statement.path;
    if (path[0] !== HOST) return false;
    return statement.kind === 'array' || (statement.kind === 'pair' && table.length < 2);
  });
}

/** Where the remarks right above a statement begin, which belong to it; without any, its line. */
function startWithRemarks({ text, statements }: TomlText, statement: Statement): number {
  // What looks like a remark may be the end of a string of several lines.
  const floor = Math.max(0, ...statements.filter(({ end }) => end <= statement.start).map(({ end }) => end));
  let start = text.lastIndexOf('\n', statement.start - 1) + 1;
  for (;;) {
    const above = text.lastIndexOf('\n', start - 2) + 1;
    if (start <= floor || !text.slice(above, start).trimStart().startsWith('#')) return start;
    start = above;
  }
}

/** @throws Refusal for what makes containerd ignore a whole file, with our mirror in it, without a word */
function checkCapabilities(toml: TomlText): void {
  let table: readonly string[] = [];
  for (const { kind, path, start, value } of toml.statements) {
    if (kind !== 'pair') table = path;
    else if (path.at(-1) === 'capabilities' && value !== undefined && (table.length === 0 || table[0] === HOST)) {
      const said = valueAt(toml.value, ...table, ...path);
      const list: readonly unknown[] = Array.isArray(said) ? said : [undefined];
      const odd = list.find((one) => !CAPABILITIES.some((known) => known === one));
      const what = typeof odd === 'string' ? `${quoted(odd)} is no capability` : 'capabilities are no list of strings';
      if (list.length > 0 && (odd !== undefined || list.includes(undefined))) {
        throw refusalAt(
          toml,
          start,
          `${what} (those are ${CAPABILITIES.map(quoted).join(', ')}), and containerd would ignore the whole file: correct it`,
        );
      }
    }
  }
}

/** @throws Refusal when an entry of the user for the mirror would not let it serve pulls */
function checkOwnEntry(toml: TomlText, block: Block): void {
  const name = block.header.path[1] ?? '';
  const capabilities = valueAt(toml.value, HOST, name, 'capabilities');
  if (capabilities === undefined) return;
  if (!Array.isArray(capabilities) || NEEDED.some((need) => !capabilities.includes(need))) {
    throw refusalAt(
      toml,
      block.header.start,
      `the entry for ${name} lacks one of "pull" and "resolve", without which containerd does not ask it for tags: correct or remove it`,
    );
  }
}

/**
 * The text with the mirror as the first host; all else stays as it is, byte for byte.
 *
 * @throws Refusal with line and column when it is not valid, or names hosts in a way that cannot be added to with certainty
 */
export function withHostFirst(title: string, text: string, wanted: WantedHost): HostEdit {
  const toml = readToml(title, text);
  checkCapabilities(toml);
  const odd = oddHost(toml);
  if (odd !== undefined) {
    throw refusalAt(
      toml,
      odd.start,
      'a host without a header of its own ([host."URL"]), beside which the mirror cannot be put with certainty: write it as a table',
    );
  }
  const blocks = hostBlocks(toml).filter(({ header }) => header.path.length > 1);
  const at = blocks.findIndex(({ header }) => isOurs(header.path, wanted.mirror));
  const [first] = blocks;
  const own = blocks[at];
  if (own !== undefined) {
    if (at > 0) {
      throw refusalAt(
        toml,
        own.header.start,
        `${wanted.mirror} stands behind another host, which containerd asks first: move it to the front or remove it`,
      );
    }
    checkOwnEntry(toml, own);
    return { text, edit: 'kept' };
  }
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const block = ownBlock(wanted, eol);
  if (first !== undefined) {
    const where = startWithRemarks(toml, first.header);
    return checked(title, toml, `${text.slice(0, where)}${block}${eol}${text.slice(where)}`, wanted);
  }
  const gap = text === '' ? '' : text.endsWith('\n') ? eol : eol + eol;
  return checked(title, toml, `${text}${gap}${block}`, wanted);
}

/** A last look: the edit has added one host and changed nothing else. */
function checked(title: string, before: TomlText, text: string, wanted: WantedHost): HostEdit {
  const hosts = (toml: TomlText): readonly string[] => Object.keys(Object(valueAt(toml.value, HOST)) as object);
  const after = readToml(`${title} with the mirror added`, text);
  if (hosts(after).join('\n') !== [wanted.mirror, ...hosts(before)].join('\n')) {
    throw refusalAt(before, 0, 'the mirror cannot be added here with certainty: put it in by hand');
  }
  return { text, edit: 'added' };
}

/** The text without the tables of this mirror; of the blank lines around them, the one below goes too. */
export function withoutHost(title: string, text: string, mirror: string): string {
  const toml = readToml(title, text);
  return [...blocksOf(toml.statements)].reverse().reduce((rest, { header, end }) => {
    if (!isOurs(header.path, mirror)) return rest;
    const start = text.lastIndexOf('\n', header.start - 1) + 1;
    const blank = /^[ \t]*\r?\n/.exec(rest.slice(end))?.[0] ?? '';
    // At the end of the file it was the blank line above that came with the tables.
    if (end === rest.length) return rest.slice(0, start).replace(/(\r?\n)[ \t]*\r?\n$/, '$1');
    return rest.slice(0, start) + rest.slice(end + blank.length);
  }, text);
}

/** Whether a text says nothing but where the registry is. */
export function saysNothing(title: string, text: string): boolean {
  return Object.keys(readToml(title, text).value).every((key) => key === 'server');
}

/** The hosts that a text names, in order. */
export function hostsIn(title: string, text: string): readonly string[] {
  return [...new Set(hostBlocks(readToml(title, text)).flatMap(({ header }) => header.path[1] ?? []))];
}
