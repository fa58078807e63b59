import { createHash } from 'node:crypto';
import { statfs } from 'node:fs/promises';

import { UsageError, formatBytes, formatDuration, idleSettings, timeoutSignal } from '@cdk8s-dragonfly/command';
import type { CommandContext } from '@cdk8s-dragonfly/command';
import { ALL_ADDRESSES } from '@cdk8s-dragonfly/contract';
import { BlobUnavailable, SwarmNode } from '@cdk8s-dragonfly/engine';
import type { OpenBlob } from '@cdk8s-dragonfly/engine';
import { OriginRules, originLog, outwardFrom } from '@cdk8s-dragonfly/origin';
import type { Outward } from '@cdk8s-dragonfly/origin';

import { fileOrder } from './file-order';
import type { DfgetValues, FileOrder } from './file-order';
import { Transit, outputPath, putInPlace } from './output-file';
import { Progress } from './progress';
import type { Standing } from './progress';
import { failure, successLines } from './result-line';
import type { Circumstances } from './result-line';

/** Downloads one file; tells how it went in the original's last line on standard output. */
export async function downloadFile(values: DfgetValues, ctx: CommandContext): Promise<number> {
  const began = performance.now();
  const order = fileOrder(values);
  const { request, md5, supernodes } = order;
  const outward = outwardOf(values, ctx);
  const path = await outputPath(values.output, request.url);
  for (const { where, why } of idleSettings(values)) ctx.stderr.write(`dfget: ${where} has no effect: ${why}\n`);
  const identity = [request.blob, request.sha256 ?? '', md5 ?? ''].join(' ');
  const transit = await Transit.make(path, values.home, identity);
  // Stopped behind the node: nobody writes there any more.
  let kept = 0;
  // Before it is known what is there, it may be another run's that is under way, or what an earlier one left.
  let isOurs = false;
  ctx.onStop('the data in transit', async () => {
    if (!isOurs) return;
    if (kept === 0) await transit.remove();
    else
      ctx.stderr.write(
        `dfget: ${formatBytes(kept)} are kept in ${transit.folder}; the same command goes on from there\n`,
      );
  });
  const node = await startNode(values, order, { transit, outward }, ctx);
  const how = (): Circumstances => ({
    traffic: node.traffic,
    pattern: values.pattern,
    hasSupernode: supernodes.length > 0,
    ms: performance.now() - began,
  });
  let standing: Standing = { size: undefined, resumed: 0, traffic: node.traffic };
  const late = values.timeout === undefined ? undefined : timeoutSignal(values.timeout);
  const isTerminal = 'isTTY' in ctx.stderr && ctx.stderr.isTTY === true;
  const progress = (values.showbar ?? isTerminal) ? new Progress(ctx.stderr, () => standing) : undefined;
  try {
    standing = { ...standing, resumed: await node.heldBytes(request.blob) };
    isOurs = true;
    const receive = new Receiver(node, order, (news) => (standing = { ...standing, ...news }));
    const signal = late === undefined ? ctx.signal : AbortSignal.any([ctx.signal, late]);
    const { length, resumed } = await receive.whole(signal);
    await putInPlace(path, (name) => node.giveName(request.blob, name));
    progress?.stop();
    ctx.log.info({ path, length, bytes: node.traffic }, 'downloaded');
    ctx.stdout.write(successLines(path, length, resumed, how()));
    if (node.traffic.origin > 0 && supernodes.length > 0) {
      ctx.stderr.write('dfget: the swarm did not help with all of it; --log-level warn tells why\n');
    }
    return 0;
  } catch (error) {
    progress?.stop();
    kept = bytesOf(standing);
    ctx.signal.throwIfAborted();
    const problem = await problemOf(error, values, { order, path, size: standing.size, transit }, late);
    if (problem.reason === 'digest-mismatch' || problem.reason === 'changed') kept = 0;
    const { code, line } = failure(problem, how());
    ctx.stderr.write(`dfget: ${problem.message}\n`);
    ctx.stdout.write(line);
    return code;
  }
}

async function startNode(
  values: DfgetValues,
  order: FileOrder,
  { transit, outward }: { readonly transit: Transit; readonly outward: Outward },
  ctx: CommandContext,
): Promise<SwarmNode> {
  const { url } = order.request;
  const node = await SwarmNode.start({
    ...values,
    ...limitOf(values),
    dataDir: transit.folder,
    supernodes: order.supernodes,
    peers: { host: values.ip ?? ALL_ADDRESSES, port: values.port, portFlag: '--port', hostFlag: '--ip' },
    advertiseIp: values.ip,
    // It is here for this download only.
    announce: false,
    outward,
    // The user named the origin.
    originRules: new OriginRules({ allow: [{ host: url.hostname, port: portOf(url) }], flag: '--url' }),
    policy: { backToSource: !values.notbs, trade: values.pattern === 'p2p', pastDisk: false, resumeTasks: true },
    log: ctx.log,
  });
  return ctx.lifecycle.add('the node', node);
}

/** Certificates and proxies for the origin. @throws UsageError */
function outwardOf(values: DfgetValues, { env, log }: CommandContext): Outward {
  try {
    return outwardFrom(values, env, originLog(log));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function limitOf({ locallimit, totallimit }: DfgetValues): { readonly downloadRate?: number } {
  const limits = [locallimit, totallimit].filter((limit) => limit !== undefined);
  return limits.length === 0 ? {} : { downloadRate: Math.min(...limits) };
}

/** So often a file is begun anew that is replaced while it is fetched. */
const MOST_TRIES = 4;

/** Has a node get the whole of a blob, with the digests that the user wants. */
class Receiver {
  constructor(
    private readonly node: SwarmNode,
    private readonly order: FileOrder,
    private readonly tell: (news: Partial<Standing>) => void,
  ) {}

  /**
   * Gets all of it. What an earlier run left and turned out to be of other content is thrown away, as is what came before the origin replaced the
   * file, and all of it fetched.
   *
   * @throws BlobUnavailable; the signal's reason when it aborts.
   */
  async whole(signal: AbortSignal): Promise<{ readonly length: number; readonly resumed: number }> {
    const { node, order } = this;
    const { blob } = order.request;
    for (let tries = 1; ; tries += 1) {
      const left = await node.heldBytes(blob);
      try {
        return await this.once(signal);
      } catch (error) {
        if (!(error instanceof BlobUnavailable) || tries === MOST_TRIES) throw error;
        const isThrownAway = error.reason === 'changed' || (left > 0 && (await node.heldBytes(blob)) === 0);
        if (!isThrownAway) throw error;
        this.tell({ size: undefined, resumed: 0 });
      }
    }
  }

  private async once(signal: AbortSignal): Promise<{ readonly length: number; readonly resumed: number }> {
    const { node, order, tell } = this;
    const open = await node.open(order.request, signal);
    try {
      tell({ size: open.size, resumed: open.resumed ?? 0 });
      const length =
        order.md5 === undefined ? await untilWhole(open, signal) : await this.checkMd5(open, order.md5, signal);
      const { resumed = 0 } = open;
      tell({ size: length, resumed });
      return { length, resumed };
    } finally {
      open.release();
    }
  }

  private async checkMd5(open: OpenBlob, expected: string, signal: AbortSignal): Promise<number> {
    const whole = createHash('md5');
    let length = 0;
    for await (const chunk of open.read({ from: 0 }, signal)) {
      whole.update(chunk);
      length += chunk.length;
    }
    const md5 = whole.digest('hex');
    if (md5 === expected) return length;
    await this.node.remove(this.order.request.blob);
    throw new BlobUnavailable(
      'digest-mismatch',
      `the ${length} bytes of ${this.order.request.blob} have the MD5 ${md5}, not ${expected}; they were thrown away`,
    );
  }
}

/** @returns the length. */
async function untilWhole(open: OpenBlob, signal: AbortSignal): Promise<number> {
  // Behind its end there is nothing to read, and that is known when the digest is.
  let length = open.size ?? 0;
  for await (const chunk of open.read({ from: length }, signal)) length += chunk.length;
  return length;
}

/** What a user is told of an error. @throws an error that is none of the download's. */
async function problemOf(
  error: unknown,
  { timeout = 0 }: DfgetValues,
  { order, path, size, transit }: { order: FileOrder; path: string; size: number | undefined; transit: Transit },
  late: AbortSignal | undefined,
): Promise<Pick<BlobUnavailable, 'reason' | 'status' | 'message'>> {
  if (late?.aborted === true) {
    const message = `not done within ${formatDuration(timeout)} (--timeout)`;
    return { reason: 'origin-unreachable', status: undefined, message };
  }
  const { blob, url } = order.request;
  const code =
    codeOf(error) ?? codeOf((error as Error).cause) ?? codeOf(((error as Error).cause as Error | undefined)?.cause);
  if (!(error instanceof BlobUnavailable)) {
    if (code === undefined) throw error;
    return { reason: 'unstorable', status: undefined, message: (error as Error).message };
  }
  if (error.reason === 'digest-mismatch') {
    // What the swarm calls it tells a user nothing.
    const message = error.message.replace(blob, `${url.origin}${url.pathname}`);
    return { reason: error.reason, status: undefined, message: `${message}, and ${path} is as it was before` };
  }
  if (error.reason !== 'unstorable') return error;
  // Without a code of the system's the store has refused it: it has no quota here, so there is not room enough.
  const isFull = code === undefined || code === 'ENOSPC' || code === 'EDQUOT';
  if (!isFull) return error;
  // Who has removed the folder meanwhile has what the store says.
  const room = await statfs(transit.folder).catch(() => undefined);
  if (room === undefined) return error;
  const free = room.bavail * room.bsize;
  const needs = size === undefined ? 'the file' : `the file of ${formatBytes(size)}`;
  const message = `${needs} does not fit: ${formatBytes(free)} are free in ${transit.folder}; make room, or choose another --output or --home`;
  return { reason: 'unstorable', status: undefined, message };
}

function bytesOf({ resumed, traffic: { peer, supernode, origin } }: Standing): number {
  return resumed + peer + supernode + origin;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}
