import { REPLICA_PATH } from '@cdk8s-dragonfly/protocol';

import type { Routes } from '../fronts/api-server';
import { FORWARD_HEADER } from './forward-mark';
import type { ReplicaSet } from './replica-set';

/** `GET /native/v3/replica`: who this replica is, for the others and for daemons; for the others also what it has under way. */
export function replicaRoute(replicas: ReplicaSet): Routes {
  return (server) => {
    server.get(REPLICA_PATH, ({ headers }) => replicas.answerTo(headers[FORWARD_HEADER]));
  };
}
