import type { Addition, EditRecord } from '../files/record';
import { sameMirror } from '../mirror-url';
import { PROXIES_KEY } from './daemon-json';
import type { DockerWish } from './docker-state';
import { entriesIn, type EntryEdit, INSECURE, type ListSetting, MIRRORS, withEntry, withoutEntry } from './list-edits';
import { PROXY_KEYS, type ProxyKey, proxiesIn, withoutProxies, withProxies } from './proxy-edits';

const SUMMARIES: Readonly<Record<EntryEdit, string>> = {
  kept: 'the first of registry-mirrors, as before',
  moved: 'moved to the first place of registry-mirrors',
  added: 'added as the first of registry-mirrors',
};

/** A member of `proxies` in a record: `https-proxy=http://127.0.0.1:65001`. */
export function recordedProxies(
  record: EditRecord | undefined,
): readonly { readonly key: ProxyKey; readonly proxy: string }[] {
  return (record?.more?.[PROXIES_KEY]?.added ?? []).flatMap((text) => {
    const key = PROXY_KEYS.find((known) => text.startsWith(`${known}=`));
    return key === undefined ? [] : [{ key, proxy: text.slice(key.length + 1) }];
  });
}

/** A text with all that is wanted, and what that did in words. */
export function withWish(
  title: string,
  text: string,
  { mirror, insecure, proxy }: DockerWish,
): { readonly text: string; readonly edit: EntryEdit; readonly summary: (kept: boolean) => string } {
  const first = withEntry(title, text, MIRRORS, mirror);
  const listed = insecure.reduce((rest, host) => withEntry(title, rest, INSECURE, host).text, first.text);
  const whole = proxy === undefined ? listed : withProxies(title, listed, proxy).text;
  const more = [
    ...insecure.map((host) => `${host} in ${INSECURE.key}`),
    ...(proxy === undefined ? [] : [`${proxy} in ${PROXIES_KEY}`]),
  ];
  return {
    text: whole,
    edit: first.edit,
    summary: (kept) => [`${mirror} ${SUMMARIES[kept ? 'kept' : first.edit]}`, ...more].join('; '),
  };
}

/** What has to be added to a text for a wish: what is to be taken out again one day. */
export function additionsTo(
  title: string,
  base: string,
  { mirror, insecure, proxy }: DockerWish,
): Addition & Required<Pick<EditRecord, 'more'>> {
  const toList = (setting: ListSetting, values: readonly string[]): Addition => {
    const listed = entriesIn(title, base, setting.key);
    const added = values.filter((value) => listed?.some((one) => setting.same(one, value)) !== true);
    return { added, keyCreated: listed === undefined };
  };
  const proxies = proxiesIn(title, base);
  const missing = proxy === undefined ? [] : PROXY_KEYS.filter((key) => proxies?.[key] === undefined);
  return {
    ...toList(MIRRORS, [mirror]),
    more: {
      ...(insecure.length === 0 ? {} : { [INSECURE.key]: toList(INSECURE, insecure) }),
      ...(proxy === undefined
        ? {}
        : {
            [PROXIES_KEY]: { added: missing.map((key) => `${key}=${proxy}`), keyCreated: proxies === undefined },
          }),
    },
  };
}

/** The text without all that a record says was added. */
export function withoutAdditions(title: string, text: string, record: EditRecord): string {
  const { added, keyCreated, more } = record;
  const insecure = more?.[INSECURE.key] ?? { added: [], keyCreated: false };
  const plain = added.reduce((rest, own) => withoutEntry(title, rest, MIRRORS, own, keyCreated), text);
  const checked = insecure.added.reduce(
    (rest, own) => withoutEntry(title, rest, INSECURE, own, insecure.keyCreated),
    plain,
  );
  const dropObject = more?.[PROXIES_KEY]?.keyCreated ?? false;
  return recordedProxies(record).reduce(
    (rest, { key, proxy }) => withoutProxies(title, rest, proxy, [key], dropObject),
    checked,
  );
}

/** The text without what a record says was added and is wanted no more. Lists and objects stay for what takes its place. */
export function withoutFormer(title: string, text: string, record: EditRecord, wish: DockerWish): string {
  const former = (addition: Addition | undefined, isWanted: (own: string) => boolean): readonly string[] =>
    (addition?.added ?? []).filter((own) => !isWanted(own));
  const mirrors = former(record, (own) => sameMirror(own, wish.mirror));
  const more = record.more ?? {};
  const insecure = former(more[INSECURE.key], (own) => wish.insecure.some((host) => INSECURE.same(own, host)));
  const proxies = recordedProxies(record).filter(
    ({ proxy }) => wish.proxy === undefined || !sameMirror(proxy, wish.proxy),
  );
  const dropList = wish.insecure.length === 0 && (more[INSECURE.key]?.keyCreated ?? false);
  const dropObject = wish.proxy === undefined && (more[PROXIES_KEY]?.keyCreated ?? false);
  const plain = mirrors.reduce((rest, own) => withoutEntry(title, rest, MIRRORS, own, false), text);
  const listed = insecure.reduce((rest, own) => withoutEntry(title, rest, INSECURE, own, dropList), plain);
  return proxies.reduce((rest, { key, proxy }) => withoutProxies(title, rest, proxy, [key], dropObject), listed);
}
