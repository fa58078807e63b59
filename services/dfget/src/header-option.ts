import { UsageError } from '@cdk8s-dragonfly/command';
import { isHeaderLine } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';

/** In characters. */
const LONGEST_SHOWN = 20;

/** Reads a value of `--header`, split at the first colon. @throws UsageError */
export function parseHeader(text: string): HeaderLine {
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
