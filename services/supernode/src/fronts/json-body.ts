import { jsonOf } from '@cdk8s-dragonfly/protocol';

/** A body, which comes as text, as JSON; undefined when it is none. */
export function jsonBody(body: unknown): unknown {
  return typeof body === 'string' ? jsonOf(body) : body;
}
