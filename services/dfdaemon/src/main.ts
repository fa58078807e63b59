import { byFirstWord, launcher } from '@cdk8s-dragonfly/command';
import { DFDAEMON } from '@cdk8s-dragonfly/contract';
import { SwarmNode } from '@cdk8s-dragonfly/engine';
import { serveNode } from './serve-node';

/** Longer than pulls may go on, by `--drain-timeout`, and all else needs; in milliseconds. */
const STOP_TIMEOUT = DFDAEMON.flags.drainTimeout.max + 30_000;

/** Called by `bin/dfdaemon.js`. */
export const main = byFirstWord(
  DFDAEMON,
  launcher(DFDAEMON, (values, ctx) => serveNode(values, ctx, (options) => SwarmNode.start(options)), {
    stopTimeout: STOP_TIMEOUT,
  }),
  {
    gone: new Map([
      ['config', 'dfdaemon --help lists the flags and keys with their defaults'],
      [
        'gen-ca',
        'openssl req -x509 -newkey rsa:2048 -nodes -keyout KEY -out CERT -subj /CN=dragonfly makes one; name both in hijack_https',
      ],
      ['gen-doc', 'dfdaemon --help lists the flags'],
    ]),
  },
);
