import { Refusal } from '../refusal';
import { sameMirror } from '../mirror-url';
import { describePosition } from '../text-position';
import { isBlank, PROXIES_KEY, readDaemonJson } from './daemon-json';
import { colonOf, newDocument, type ObjectText, splice, withMember, withoutMember } from './json-text';

/** The members of `proxies` that pulls go by: for registries of http and of https. */
export const PROXY_KEYS = ['http-proxy', 'https-proxy'] as const;
export type ProxyKey = (typeof PROXY_KEYS)[number];

/** The proxies that a text, or a running dockerd, has. */
export type Proxies = Readonly<Partial<Record<ProxyKey, string>>>;

/** An edited text. */
export interface ProxyEdit {
  readonly text: string;
  /** The members that were added. */
  readonly added: readonly ProxyKey[];
  readonly keyCreated: boolean;
}

/** The proxies that a text names; `undefined` when it has none of the key. */
export function proxiesIn(path: string, text: string): Proxies | undefined {
  if (isBlank(text)) return undefined;
  const members = readDaemonJson(path, text).proxies?.members;
  if (members === undefined) return undefined;
  return Object.fromEntries(
    PROXY_KEYS.flatMap((key) => {
      const found = members.find((member) => member.key === key);
      return found === undefined || found.value === '' ? [] : [[key, found.value] as const];
    }),
  );
}

/** A proxy in words, without what it may hold of a password. */
export function proxyTitle(proxy: string): string {
  if (!URL.canParse(proxy)) return 'another one';
  const { protocol, host } = new URL(proxy);
  return `${protocol}//${host}`;
}

/**
 * The text with this proxy for registries of http and https; all else stays as it is, byte for byte.
 *
 * @throws Refusal when it has another one, which pulls would no longer go through
 */
export function withProxies(path: string, text: string, proxy: string): ProxyEdit {
  const quoted = JSON.stringify(proxy);
  const whole = (colon: string): string => `{${PROXY_KEYS.map((key) => `"${key}"${colon}${quoted}`).join(', ')}}`;
  if (isBlank(text)) return { text: newDocument(PROXIES_KEY, whole(': ')), added: PROXY_KEYS, keyCreated: true };
  const document = readDaemonJson(path, text);
  if (document.proxies === undefined) {
    const colon = colonOf(document);
    const value = whole(/[\r\n]/.test(colon) ? ': ' : colon);
    return { text: withMember(document, PROXIES_KEY, value), added: PROXY_KEYS, keyCreated: true };
  }
  const there = document.proxies.members;
  for (const key of PROXY_KEYS) {
    const other = there.find((member) => member.key === key && member.value !== '' && !sameMirror(member.value, proxy));
    if (other === undefined) continue;
    throw new Refusal(
      `${path}, ${describePosition(text, other.valueStart)}: ${PROXIES_KEY} has ${proxyTitle(other.value)} as its ${key}, and pulls would no longer go through it: give that proxy to the df-daemon (HTTPS_PROXY) and take it out here; nothing was changed`,
    );
  }
  const missing = PROXY_KEYS.filter((key) => !there.some((member) => member.key === key && member.value !== ''));
  const after = missing.reduce((result, key) => withProxy(path, result, key, quoted), text);
  return { text: after, added: missing, keyCreated: false };
}

function withProxy(path: string, text: string, key: ProxyKey, quoted: string): string {
  const object = objectOf(path, text);
  if (object === undefined) return text;
  const empty = object.members.find((member) => member.key === key);
  if (empty !== undefined) return splice(text, empty.valueStart, empty.valueEnd, quoted);
  if (object.members.length > 0) return withMember(object, key, quoted);
  return splice(text, object.body.start, object.body.end, `"${key}": ${quoted}`);
}

function objectOf(path: string, text: string): ObjectText | undefined {
  const object = readDaemonJson(path, text).proxies;
  return object === undefined ? undefined : { text, body: object.body, members: object.members };
}

/**
 * The text without those of these members that name the proxy. An empty object goes with its key when `dropEmptyObject` is set (when the
 * key was ours), otherwise it stays.
 */
export function withoutProxies(
  path: string,
  text: string,
  proxy: string,
  keys: readonly ProxyKey[],
  dropEmptyObject: boolean,
): string {
  if (isBlank(text)) return text;
  const rest = keys.reduce((left, key) => {
    const object = objectOf(path, left);
    const proxies = readDaemonJson(path, left).proxies;
    const at = proxies?.members.findIndex((member) => member.key === key && sameMirror(member.value, proxy)) ?? -1;
    return object === undefined || at < 0 ? left : withoutMember(object, at);
  }, text);
  const document = readDaemonJson(path, rest);
  const { proxies } = document;
  return dropEmptyObject && proxies?.members.length === 0 ? withoutMember(document, proxies.member) : rest;
}
