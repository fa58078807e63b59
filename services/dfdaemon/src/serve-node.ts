import { PORTS } from '@cdk8s-dragonfly/contract';
import type { DFDAEMON } from '@cdk8s-dragonfly/contract';
import { resolveSupernodes } from '@cdk8s-dragonfly/command';
import type { Closeable, CommandContext, CommandValues, SupernodeAddress } from '@cdk8s-dragonfly/command';
import type { BlobProvider } from '@cdk8s-dragonfly/engine';
import { OriginClient, OriginRules, Relay } from '@cdk8s-dragonfly/origin';
import { BlobStore } from '@cdk8s-dragonfly/store';
import { responseLogger } from './mirror/log-response';
import { MirrorServer } from './mirror/mirror-server';
import { parseUpstreams } from './mirror/upstreams';
import type { Upstreams } from './mirror/upstreams';
import { OpsServer } from './ops/ops-server';

/** What the command line of a df-daemon says. */
export type DfdaemonValues = CommandValues<typeof DFDAEMON>;

/** What a node of the swarm is made of here. */
export interface NodeSetup {
  readonly values: DfdaemonValues;
  readonly supernodes: readonly SupernodeAddress[];
  readonly store: BlobStore;
  readonly origin: OriginClient;
  readonly ctx: CommandContext;
}

/** A node of the swarm, as the df-daemon needs it. */
export interface Node extends Closeable {
  readonly provider: BlobProvider;
  /** Whether neighbours are served. */
  readonly listening: boolean;
}

/** Starts a node: it listens for neighbours when this resolves. */
export type StartNode = (setup: NodeSetup) => Promise<Node>;

/** How long running answers may go on when the daemon stops, in milliseconds; a pod has 30 s in all. */
const GRACE = 10_000;

/**
 * Starts the parts of a df-daemon, each before those that need it, and registers them to be stopped in reverse order: the health
 * endpoint first, so that it can tell what is missing, the mirror last, so that no runtime asks too early.
 *
 * @throws UsageError for registries and supernodes that cannot be meant; CommandError when a port is in use.
 */
export async function serveNode(values: DfdaemonValues, ctx: CommandContext, startNode: StartNode): Promise<void> {
  const upstreams = parseUpstreams(values.registry);
  const supernodes = resolveSupernodes(values);
  const { lifecycle, log } = ctx;
  const serving: { node?: Node; mirror?: MirrorServer } = {};

  const ops = new OpsServer(
    () =>
      new Map([
        ['the mirror', serving.mirror?.listening ?? false],
        ['the server for neighbours', serving.node?.listening ?? false],
      ]),
  );
  const { host, port = PORTS.ops } = values.opsListen;
  const opsAddress = await ops.start({ host, port, portFlag: '--ops-listen' });
  lifecycle.add('the health endpoint', ops);

  const store = await BlobStore.open(values.dataDir);
  const waits = { firstByteTimeout: values.originFirstByteTimeout, stallTimeout: values.originStallTimeout };
  const origin = lifecycle.add(
    'the origin client',
    new OriginClient({ ...waits, rules: rulesFor(upstreams), log: originLog(ctx) }),
  );
  const registry = lifecycle.add('the relay to the registry', new Relay(waits));
  const node = lifecycle.add('the node', await startNode({ values, supernodes, store, origin, ctx }));
  serving.node = node;

  const record = responseLogger(log);
  const mirror = new MirrorServer({ upstreams, provider: node.provider, registry, record });
  const mirrorAt = { host: values.hostIp, port: values.port, portFlag: '--port', hostFlag: '--hostIp' };
  const mirrorAddress = await mirror.start(mirrorAt);
  serving.mirror = mirror;
  lifecycle.add('the mirror', { stop: () => mirror.stop(GRACE) });
  log.info({ mirror: mirrorAddress, ops: opsAddress, registry: upstreams.default.origin, supernodes }, 'ready');
}

/** This daemon fetches from its registries and from where they redirect to; it takes no URLs from others. */
function rulesFor(upstreams: Upstreams): OriginRules {
  const urls = [upstreams.default, ...upstreams.byHost.values()];
  const allow = urls.map(({ hostname, protocol, port }) => ({
    host: hostname,
    port: port !== '' ? Number(port) : protocol === 'https:' ? 443 : 80,
  }));
  return new OriginRules({ allow, flag: '--registry' });
}

function originLog({ log }: CommandContext): ConstructorParameters<typeof OriginClient>[0]['log'] {
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
  };
}
