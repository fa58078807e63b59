import { UsageError } from '@cdk8s-dragonfly/command';
import { isHeaderLine } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';

/** Reads a value of `--header`, split at the first colon. @throws UsageError */
export function parseHeader(text: string): HeaderLine {
  const colon = text.indexOf(':');
  const line: HeaderLine = [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  if (colon < 1 || !isHeaderLine(line)) {
    throw new UsageError(`--header: ${JSON.stringify(text)} is no header; write 'Name: value'`);
  }
  return line;
}
