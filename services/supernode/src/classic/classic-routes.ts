import type { DirectTable } from '../fronts/direct-routes';
import { FORWARD_HEADER } from '../replicas/forward-mark';
import type { ClassicPath, Forwarder } from '../replicas/forward';

const PATHS: readonly ClassicPath[] = ['/peer/task', '/peer/piece/suc', '/peer/piece/error', '/peer/service/down'];

/** What original clients ask beside the registration; always answered with HTTP status 200 (Dragonfly 0.x protocol, 9 and T1). */
export function classicRoutes(forwarder: Forwarder): DirectTable {
  return new Map(
    PATHS.map((path) => [
      path,
      (query, { url: target, message }) =>
        forwarder.answer(path, query, () => ({ target, mark: message.headers[FORWARD_HEADER] })),
    ]),
  );
}
