import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { formatBytes, resolveSupernodes } from '@cdk8s-dragonfly/command';
import type { CommandContext, CommandValues } from '@cdk8s-dragonfly/command';
import type { DFGET } from '@cdk8s-dragonfly/contract';
import { BlobUnavailable, SwarmNode } from '@cdk8s-dragonfly/engine';
import { OriginRules } from '@cdk8s-dragonfly/origin';
import { digestInUrl, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { parseHeader } from './header-option';
import { outputPath, writeWhole } from './output-file';

/** Exit codes of the original (Dragonfly 0.x protocol, 1.5): the low 8 bits of 1103 and 1104. */
export const EXIT_NEEDS_AUTH = 79;
export const EXIT_FAILED = 80;

/** Why bytes came from the origin, in the original's last line (Dragonfly 0.x protocol, 4.5). */
const REASON = { registerFailed: 1, downloadError: 3, noNode: 8 } as const;

/** Downloads one file; tells how it went in the original's last line on standard output. */
export async function downloadFile(values: CommandValues<typeof DFGET>, ctx: CommandContext): Promise<number> {
  const { url } = values;
  const began = performance.now();
  const headers = values.header.map(parseHeader);
  const path = await outputPath(values.output, url);
  const supernodes = resolveSupernodes(values);
  const home = values.home ?? join(homedir(), '.small-dragonfly');
  await mkdir(home, { recursive: true, mode: 0o700 });
  // A folder of its own: several of us may run at once.
  const dataDir = await mkdtemp(join(home, 'dfget-'));
  ctx.onStop('the data in transit', () => rm(dataDir, { recursive: true, force: true }));
  const node = await SwarmNode.start({
    ...values,
    dataDir,
    supernodes,
    peers: { host: values.ip ?? '0.0.0.0', port: 0, portFlag: '--ip' },
    advertiseIp: values.ip,
    // The user named the origin.
    originRules: new OriginRules({ allow: [{ host: url.hostname, port: portOf(url) }], flag: '--url' }),
    log: ctx.log,
  });
  ctx.lifecycle.add('the node', node);
  const cost = (): string => `${((performance.now() - began) / 1000).toFixed(3)}s`;
  const notHelped = (reason: number): number => (supernodes.length === 0 ? REASON.noNode : reason);
  try {
    const open = await node.open({ blob: blobOf(url), url, headers }, ctx.signal);
    let length: number;
    try {
      length = await writeWhole(path, open.read({ from: 0 }, ctx.signal));
    } finally {
      open.release();
    }
    const { peer, supernode, origin } = node.traffic;
    ctx.log.info({ path, length, bytes: node.traffic }, 'downloaded');
    ctx.stdout.write(
      `${path}: ${formatBytes(length)} (${formatBytes(peer)} from peers, ${formatBytes(supernode)} from the supernode, ` +
        `${formatBytes(origin)} from the origin)\n` +
        `download SUCCESS(0) cost:${cost()} length:${length} reason:${origin === 0 ? 0 : notHelped(REASON.registerFailed)}\n`,
    );
    if (origin > 0 && supernodes.length > 0) {
      ctx.stderr.write('dfget: the swarm did not help with all of it; --log-level warn tells why\n');
    }
    return 0;
  } catch (error) {
    if (!(error instanceof BlobUnavailable)) throw error;
    const needsAuth = error.status === 401 || error.status === 407;
    const code = needsAuth ? EXIT_NEEDS_AUTH : EXIT_FAILED;
    ctx.stderr.write(`dfget: ${error.message}\n`);
    const reason = notHelped(REASON.downloadError);
    ctx.stdout.write(`download FAIL(${1024 + code}) cost:${cost()} length:0 reason:${reason}\n`);
    return code;
  }
}

/** The digest that the URL names, else its classic task id: the same for everybody who asks for this URL. */
function blobOf(url: URL): BlobId {
  return digestInUrl(url) ?? `task:${taskIdOf({ taskUrl: url.href })}`;
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}
