import { successAnswer } from '@cdk8s-dragonfly/protocol';

import type { Routes } from '../fronts/api-server';
import type { ClassicTasks } from './classic-tasks';

/** What original clients ask beside the registration; always answered with HTTP status 200 (Dragonfly 0.x protocol, 9 and T1). */
export function classicRoutes(classic: ClassicTasks): Routes {
  return (server) => {
    server.get('/peer/task', async (request) => classic.ask(queryOf(request.url)));
    server.get('/peer/piece/suc', (request) => classic.pieceStored(queryOf(request.url)));
    server.get('/peer/service/down', (request) => classic.serviceDown(queryOf(request.url)));
    // What a failed piece means for its source is taken from the question that follows.
    server.get('/peer/piece/error', () => successAnswer());
  };
}

/** The query as it was sent: the values of Go clients are not escaped. */
function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}
