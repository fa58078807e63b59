import { launcher } from '@cdk8s-dragonfly/command';
import { SUPERNODE } from '@cdk8s-dragonfly/contract';

import { originRate } from './bandwidth/origin-rate';
import { Supernode } from './supernode';

const MINUTE = 60_000;

/** The command `supernode`. */
export const main = launcher(SUPERNODE, async (values, { env, lifecycle, log }) => {
  const supernode = await Supernode.start({
    homeDir: values.homeDir,
    diskQuota: values.diskQuota,
    minFree: values.minFree,
    api: { host: values.listenIp, port: values.port, portFlag: '--port', hostFlag: '--listen-ip' },
    blocks: { host: values.listenIp, port: values.downloadPort, portFlag: '--download-port', hostFlag: '--listen-ip' },
    advertiseIp: values.advertiseIp,
    allowOrigin: values.allowOrigin,
    originFirstByteTimeout: values.originFirstByteTimeout,
    originStallTimeout: values.originStallTimeout,
    env,
    log,
    originRate: originRate(values),
    failAccessInterval: values.failAccessInterval * MINUTE,
  });
  lifecycle.add('the supernode', supernode);
  log.info({ api: supernode.api, pieces: supernode.blocks }, 'serving');
});
