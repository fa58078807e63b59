import { sameContent } from '../files/snapshot';
import { sameMirror, sameMirrors } from '../mirror-url';
import type { Step } from '../runtime';
import { decodeDaemonJson } from './daemon-json';
import type { DockerFacts } from './docker-facts';
import { mirrorsIn, withEmptyList } from './mirror-edits';

/** A file's text without byte order mark; of no file, the empty text. */
export function textOf(title: string, bytes: Buffer | undefined): string {
  return bytes === undefined ? '' : decodeDaemonJson(title, bytes);
}

/**
 * The steps from the file as it is to the wanted content, and dockerd with it.
 *
 * A dockerd whose new file has no list keeps its old mirrors. So when one of `ours` is in force, an explicitly empty list
 * comes in between, and the final bytes need no reload of their own. Neither do bytes with a byte order mark, which dockerd
 * 20.10 refuses: it is told of the same text without.
 */
export function stepsTo(facts: DockerFacts, target: Buffer | undefined, ours: readonly string[]): readonly Step[] {
  const { dockerd, current, title } = facts;
  const write: Step = { content: target };
  const unchanged = sameContent(current.bytes, target);
  if (dockerd === undefined) return unchanged ? [] : [write];
  const text = textOf(title, target);
  const wanted = mirrorsIn(title, text);
  if (wanted !== undefined) {
    if (unchanged && sameMirrors(dockerd.inForce, wanted)) return [];
    const readable = Buffer.from(text);
    const told: Step = { content: readable, inForce: wanted };
    return sameContent(readable, target) ? [told] : [told, write];
  }
  if (dockerd.inForce.some((mirror) => ours.some((own) => sameMirror(mirror, own)))) {
    return [{ content: Buffer.from(withEmptyList(title, text)), inForce: [] }, write];
  }
  return unchanged ? [] : [write];
}
