import { CommandError, launcher } from '@cdk8s-dragonfly/command';
import { DFDAEMON } from '@cdk8s-dragonfly/contract';
import { serveNode } from './serve-node';
import type { StartNode } from './serve-node';

const startNode: StartNode = () => Promise.reject(new CommandError('this build has no engine'));

/** Called by `bin/dfdaemon.js`. */
export const main = launcher(DFDAEMON, (values, ctx) => serveNode(values, ctx, startNode));
