import { sameContent } from '../files/snapshot';
import type { Step } from '../runtime';
import { decodeUtf8 } from '../utf8';
import type { DockerFacts } from './docker-facts';
import { describeState, type DockerState, ownProxies } from './docker-state';
import { entriesIn, INSECURE, type ListSetting, MIRRORS, withEmptyList } from './list-edits';
import { proxiesIn } from './proxy-edits';

/** A file's text without byte order mark; of no file, the empty text. */
export function textOf(title: string, bytes: Buffer | undefined): string {
  return bytes === undefined ? '' : decodeUtf8(title, bytes);
}

/** A text with an explicitly empty list for each of these settings. */
function cleared(title: string, text: string, settings: readonly ListSetting[]): Buffer {
  return Buffer.from(settings.reduce((rest, { key }) => withEmptyList(title, rest, key), text));
}

/** The states that may come between others and this text, in which dockerd forgets lists that the text does not have. */
export function statesBetween(title: string, text: string): readonly Buffer[] {
  const missing = [MIRRORS, INSECURE].filter(({ key }) => entriesIn(title, text, key) === undefined);
  const subsets = missing.length > 1 ? [missing, ...missing.map((one) => [one])] : [missing];
  return subsets.filter((some) => some.length > 0).map((some) => cleared(title, text, some));
}

/**
 * The steps from the file as it is to the wanted content, and dockerd with it.
 *
 * A dockerd whose new file has no list keeps its old entries. So when one of ours is in force, an explicitly empty list
 * comes in between, and the final bytes need no reload of their own. Neither do bytes with a byte order mark, which dockerd
 * 20.10 refuses: it is told of the same text without. Proxies are read at its start only, and then all the rest is too.
 */
export function stepsTo(facts: DockerFacts, target: Buffer | undefined): readonly Step[] {
  const { dockerd, current, title, ours } = facts;
  const write: Step = { content: target };
  const unchanged = sameContent(current.bytes, target);
  if (dockerd === undefined) return unchanged ? [] : [write];
  const { inForce } = dockerd;
  const text = textOf(title, target);
  const lists = [
    { setting: MIRRORS, shown: inForce.mirrors, own: ours.mirrors },
    { setting: INSECURE, shown: inForce.insecure, own: ours.insecure },
  ].map((list) => ({ ...list, said: entriesIn(title, text, list.setting.key) }));
  const stateWith = (mirrors: readonly string[], insecure: readonly string[], rest: DockerState): readonly string[] =>
    describeState({ ...rest, mirrors, insecure }, ours);

  const proxies = proxiesIn(title, text) ?? {};
  if (JSON.stringify(ownProxies(proxies, ours)) !== JSON.stringify(ownProxies(inForce.proxies, ours))) {
    const [mirrors = [], insecure = []] = lists.map(({ said }) => said ?? []);
    return [{ content: target, inForce: stateWith(mirrors, insecure, { ...inForce, proxies }), restart: true }];
  }

  const forget = lists.filter(
    ({ setting, said, shown, own }) =>
      said === undefined && shown.some((one) => own.some((mine) => setting.same(one, mine))),
  );
  const [mirrors = [], insecure = []] = lists.map((list) => list.said ?? (forget.includes(list) ? [] : list.shown));
  const after = stateWith(mirrors, insecure, inForce);
  if (forget.length > 0) {
    const between = cleared(
      title,
      text,
      forget.map(({ setting }) => setting),
    );
    return [{ content: between, inForce: after }, write];
  }
  if (lists.every(({ said }) => said === undefined)) return unchanged ? [] : [write];
  if (unchanged && JSON.stringify(after) === JSON.stringify(describeState(inForce, ours))) return [];
  const told: Step = { content: Buffer.from(text), inForce: after };
  return sameContent(told.content, target) ? [told] : [told, write];
}
