import { CommandError, UsageError, idleSettings, timeoutSignal } from '@cdk8s-dragonfly/command';
import type { CommandContext, IdleSetting, Log } from '@cdk8s-dragonfly/command';
import { ALL_ADDRESSES } from '@cdk8s-dragonfly/contract';
import { SwarmNode } from '@cdk8s-dragonfly/engine';
import { originLog, outwardFrom } from '@cdk8s-dragonfly/origin';
import type { Outward } from '@cdk8s-dragonfly/origin';
import { StoreInUse } from '@cdk8s-dragonfly/store';

import { allowedOrigins } from './allowed-origins';
import { fileOrder } from './file-order';
import type { DfgetValues, FileOrder } from './file-order';
import { Transit, outputPath, putInPlace } from './output-file';
import { problemOf } from './problem';
import type { Attempt } from './problem';
import { Progress } from './progress';
import type { Standing } from './progress';
import { Receiver } from './receiver';
import { Remains } from './remains';
import { failure, successLines } from './result-line';
import type { Circumstances } from './result-line';

/** Downloads one file; tells how it went in the original's last line on standard output. */
export async function downloadFile(values: DfgetValues, ctx: CommandContext): Promise<number> {
  const began = performance.now();
  const tell = ({ where, why }: IdleSetting): void => void ctx.stderr.write(`dfget: ${where} has no effect: ${why}\n`);
  const order = fileOrder(values, tell);
  const { request, md5 } = order;
  const outward = outwardOf(values, ctx);
  const path = await outputPath(values.output, request.url);
  idleSettings(values).forEach(tell);
  const identity = [request.blob, request.sha256 ?? '', md5 ?? ''].join(' ');
  const transit = await Transit.make(path, values.home, identity);
  const remains = new Remains(transit, order.isVouched, ctx.stderr);
  let node: SwarmNode | undefined;
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  // A disk that does not tell keeps nothing that could be wrong.
  const untold = (error: unknown): boolean => {
    ctx.log.warn({ err: error }, 'nobody knows of which version what came is: it is not gone on with');
    return false;
  };
  // What is being put in place when a signal comes is put there.
  ctx.onStop('the download', async () => {
    await ended;
    remains.isTagged = (await node?.isTagged(request.blob).catch(untold)) === true;
    await node?.stop();
    await remains.settle();
  });
  try {
    node = await startNode(values, order, { transit, outward }, ctx.log).catch(async (error: unknown) => {
      const isInUse = error instanceof CommandError && error.cause instanceof StoreInUse;
      if (!isInUse) await transit.removeEmpty();
      throw error;
    });
    return await fetchFile(values, ctx, { began, node, order, path, remains, transit });
  } finally {
    end();
  }
}

/** A download that is about to begin. */
interface Beginning extends Attempt {
  /** When the command was started, by `performance.now()`. */
  readonly began: number;
  readonly node: SwarmNode;
  readonly order: FileOrder;
  readonly remains: Remains;
  readonly transit: Transit;
}

async function fetchFile(values: DfgetValues, ctx: CommandContext, beginning: Beginning): Promise<number> {
  const { began, node, order, path, remains } = beginning;
  const { request, supernodes } = order;
  const how = (): Circumstances => ({
    traffic: node.traffic,
    pattern: values.pattern,
    hasSupernode: supernodes.length > 0,
    ms: performance.now() - began,
  });
  const nothing: Standing = { size: undefined, resumed: 0, traffic: node.traffic };
  const late = values.timeout === undefined ? undefined : timeoutSignal(values.timeout);
  const isTerminal = 'isTTY' in ctx.stderr && ctx.stderr.isTTY === true;
  const progress =
    (values.showbar ?? isTerminal) ? new Progress(ctx.stderr, () => remains.standing ?? nothing) : undefined;
  try {
    const begun: Standing = { ...nothing, resumed: await node.heldBytes(request.blob) };
    remains.standing = begun;
    const tell = (news: Partial<Standing>): Standing => (remains.standing = { ...begun, ...news });
    const receive = new Receiver(node, order, tell, async (size) => beginning.transit.checkRoom(size));
    const signal = late === undefined ? ctx.signal : AbortSignal.any([ctx.signal, late]);
    const { length, resumed } = await receive.whole(signal);
    await putInPlace(path, beginning.transit.beside, (name) => node.giveName(request.blob, name));
    remains.isSpent = true;
    progress?.stop();
    ctx.log.info({ path, length, bytes: node.traffic }, 'downloaded');
    ctx.stdout.write(successLines(path, length, resumed, how()));
    if (node.traffic.origin > 0 && supernodes.length > 0) {
      ctx.stderr.write('dfget: the swarm did not help with all of it; --log-level warn tells why\n');
    }
    return 0;
  } catch (error) {
    progress?.stop();
    ctx.signal.throwIfAborted();
    const problem = await problemOf(error, values, { ...beginning, size: remains.standing?.size }, late);
    remains.isSpent = problem.reason === 'digest-mismatch' || problem.reason === 'changed';
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
  log: Log,
): Promise<SwarmNode> {
  return SwarmNode.start({
    ...values,
    ...limitOf(values),
    dataDir: transit.folder,
    supernodes: order.supernodes,
    peers: { host: values.ip ?? ALL_ADDRESSES, port: values.port, portFlag: '--port', hostFlag: '--ip' },
    advertiseIp: values.ip,
    // It is here for this download only.
    announce: false,
    outward,
    originRules: allowedOrigins(values),
    policy: { backToSource: !values.notbs, trade: values.pattern === 'p2p', pastDisk: false, resumeTasks: true },
    log,
  });
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
