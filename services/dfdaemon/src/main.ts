import { launcher } from '@cdk8s-dragonfly/command';
import { DFDAEMON } from '@cdk8s-dragonfly/contract';
import { SwarmNode } from '@cdk8s-dragonfly/engine';
import { serveNode } from './serve-node';

/** Called by `bin/dfdaemon.js`. */
export const main = launcher(DFDAEMON, (values, ctx) => serveNode(values, ctx, (options) => SwarmNode.start(options)));
