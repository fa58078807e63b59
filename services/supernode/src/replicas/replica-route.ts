import { REPLICA_PATH } from '@cdk8s-dragonfly/protocol';

import type { Routes } from '../fronts/api-server';
import type { ReplicaSet } from './replica-set';

/** `GET /native/v3/replica`: who this replica is, for the others. */
export function replicaRoute(replicas: ReplicaSet): Routes {
  return (server) => {
    server.get(REPLICA_PATH, () => replicas.identity);
  };
}
