import { HANG_LIMIT, UsageError, Watchdog, byFirstWord, launcher } from '@cdk8s-dragonfly/command';
import type { Log, PulseOptions } from '@cdk8s-dragonfly/command';
import { PORTS, SUPERNODE } from '@cdk8s-dragonfly/contract';
import { TokenHosts, originLog, outwardFrom } from '@cdk8s-dragonfly/origin';
import type { Outward } from '@cdk8s-dragonfly/origin';
import { PULSE_MAGIC, PULSE_NONCE, pulsePort } from '@cdk8s-dragonfly/protocol';

import { originRate } from './bandwidth/origin-rate';
import { Supernode } from './supernode';

/** The thread that ends a supernode that hangs tells daemons that one lives which is only short of CPU. */
function pulseOf(
  { listenIp: host, port: api }: { listenIp: string; port: number },
  log: Log,
): PulseOptions | undefined {
  const port = pulsePort(api);
  if (port === undefined) return undefined;
  const failed = (why: string): void =>
    log.warn({ udp: port, why }, 'there is no pulse: daemons take a supernode that is short of CPU for one that hangs');
  return { host, port, magic: PULSE_MAGIC, length: PULSE_MAGIC.length + PULSE_NONCE, failed };
}

const serve = launcher(SUPERNODE, async (values, { env, lifecycle, log }) => {
  let outward: Outward;
  let tokenHosts: TokenHosts;
  try {
    tokenHosts = new TokenHosts(values.tokenServer);
    outward = outwardFrom(values, env, originLog(log));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  lifecycle.add('the watchdog', await Watchdog.start('supernode', HANG_LIMIT, pulseOf(values, log)));
  const supernode = await Supernode.start({
    homeDir: values.homeDir,
    diskQuota: values.diskQuota,
    minFree: values.minFree,
    api: { host: values.listenIp, port: values.port, portFlag: '--port', hostFlag: '--listen-ip' },
    blocks: { host: values.listenIp, port: values.downloadPort, portFlag: '--download-port', hostFlag: '--listen-ip' },
    advertiseIp: values.advertiseIp,
    signingKey: values.signingKey,
    peers: values.peers.map(({ host, port = PORTS.supernodeApi }) => ({ host, port })),
    allowOrigin: values.allowOrigin,
    tokenHosts,
    outward,
    originFirstByteTimeout: values.originFirstByteTimeout,
    originStallTimeout: values.originStallTimeout,
    originRate: originRate(values),
    failAccessInterval: values.failAccessInterval,
    env,
    log,
  });
  lifecycle.add('the supernode', supernode);
  log.info({ api: supernode.api, pieces: supernode.blocks }, 'serving');
});

/** Called by `bin/supernode.js`. */
export const main = byFirstWord(SUPERNODE, serve, {
  gone: new Map([
    ['config', 'supernode --help lists the flags and keys with their defaults'],
    ['gen-doc', 'supernode --help lists the flags'],
  ]),
});
