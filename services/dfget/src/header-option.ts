import { UsageError } from '@cdk8s-dragonfly/command';
import { isPassedOn } from '@cdk8s-dragonfly/origin';
import { isHeaderLine } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';

/** In characters. */
const LONGEST_SHOWN = 20;

/**
 * Reads the values of `--header`, each split at its first colon.
 *
 * @param isHandedOn whether a df-daemon of the originals gives all that its client sent: then what no origin is sent is left out. Default false.
 * @throws UsageError for what is no header, or never sent to an origin.
 */
export function headerLines(texts: readonly string[], isHandedOn = false): HeaderLine[] {
  const lines = texts.map(parseHeader);
  const unsent = lines.find(([name]) => !isPassedOn(name));
  if (unsent === undefined || isHandedOn) return lines.filter(([name]) => isPassedOn(name));
  throw new UsageError(
    `--header: ${unsent[0]} is never sent as given: whoever fetches sets it itself or leaves it out; take it out of the command`,
  );
}

function parseHeader(text: string): HeaderLine {
  const colon = text.indexOf(':');
  const line: HeaderLine = [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  if (colon < 1 || !isHeaderLine(line)) {
    throw new UsageError(`--header: ${JSON.stringify(begin(text))} is no header; write 'Name: value'`);
  }
  return line;
}

/** Enough of it to find it: what follows a name may be a secret, and messages end up in logs. */
function begin(text: string): string {
  const shown = text.slice(0, text.search(/[\s:]|$/)).slice(0, LONGEST_SHOWN);
  return shown === text ? text : `${shown}…`;
}
