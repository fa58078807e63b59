import { mkdir } from 'node:fs/promises';
import { CommandError, UsageError, Watchdog, resolveSupernodes } from '@cdk8s-dragonfly/command';
import type { Closeable, CommandContext, CommandValues } from '@cdk8s-dragonfly/command';
import { PORTS } from '@cdk8s-dragonfly/contract';
import type { DFDAEMON } from '@cdk8s-dragonfly/contract';
import type { BlobProvider, SwarmNodeOptions, Traffic } from '@cdk8s-dragonfly/engine';
import { OriginRules, Relay, originLog, outwardFrom } from '@cdk8s-dragonfly/origin';
import type { HostPort, Outward, TrustEntry } from '@cdk8s-dragonfly/origin';
import { BlobAccess } from './access/blob-access';
import { responseLogger } from './mirror/log-response';
import { MirrorServer } from './mirror/mirror-server';
import { parseUpstreams } from './mirror/upstreams';
import type { Upstreams } from './mirror/upstreams';
import { Metrics } from './ops/metrics';
import { OpsServer } from './ops/ops-server';
import { proxyFrom, proxyOriginRules, proxySettings } from './proxy/proxy-from';

/** What the command line of a df-daemon says. */
export type DfdaemonValues = CommandValues<typeof DFDAEMON>;

/** Starts a node of the swarm: it serves its neighbours when this resolves, and until it is stopped. */
export type StartNode = (
  options: SwarmNodeOptions,
) => Promise<BlobProvider & Closeable & { readonly traffic: Traffic }>;

/** How long running answers may go on when the daemon stops, in milliseconds; a pod has 30 s in all. */
const GRACE = 10_000;

/**
 * Starts the parts of a df-daemon, each before those that need it, and registers them to be stopped in reverse order: the health
 * endpoint first, so that it can tell what is missing, the mirror last, so that no runtime asks too early.
 *
 * @throws UsageError for registries and supernodes that cannot be meant; CommandError when a port is in use, or the folder cannot be.
 */
export async function serveNode(values: DfdaemonValues, ctx: CommandContext, startNode: StartNode): Promise<void> {
  const registries = values.registries.map(({ host, url }) => `${host}=${url.href}`);
  const upstreams = parseUpstreams([...values.registry, ...registries]);
  const proxying = proxySettings(values);
  const outward = outwardOf(values, ctx, proxying.trust);
  const supernodes = resolveSupernodes(values);
  const { lifecycle, log } = ctx;
  lifecycle.add('the watchdog', await Watchdog.start('dfdaemon'));
  const serving: { node?: BlobProvider; mirror?: MirrorServer; metrics?: Metrics } = {};

  const ops = new OpsServer(
    () =>
      new Map([
        ['the mirror', serving.mirror?.listening ?? false],
        ['the server for neighbours', serving.node !== undefined],
      ]),
    () => serving.metrics,
  );
  const { host, port = PORTS.ops } = values.opsListen;
  const opsAddress = await ops.start({ host, port, portFlag: '--ops-listen' });
  lifecycle.add('the health endpoint', ops);

  const { originFirstByteTimeout: firstByteTimeout, originStallTimeout: stallTimeout } = values;
  const registry = lifecycle.add('the relay to the registry', new Relay({ outward, firstByteTimeout, stallTimeout }));

  await makeFolder(values.dataDir);
  if (supernodes.length === 0) log.warn({ nodeConfig: values.nodeConfig }, 'no supernode: all comes from the registry');
  const peers = { host: values.peerIp, port: values.peerPort, portFlag: '--peer-port', hostFlag: '--peer-ip' };
  const proxyRules = proxyOriginRules(values, registriesOf(upstreams), ctx.env);
  // Rules may lead to any registry; without them this daemon fetches from its own.
  const originRules = proxying.rules.length > 0 ? proxyRules : rulesFor(upstreams);
  const node = await startNode({ ...values, supernodes, peers, originRules, outward, log });
  serving.node = lifecycle.add('the node', node);
  serving.metrics = new Metrics(() => node.traffic);

  const access = new BlobAccess(values.blobAuthorization, registry);
  const record = responseLogger(log);
  const proxy = proxyFrom(values, proxying, { provider: node, record, outward, originRules: proxyRules, log });
  const mirror = new MirrorServer({ upstreams, provider: node, registry, access, record }, { proxy });
  const mirrorAt = { host: values.hostIp, port: values.port, portFlag: '--port', hostFlag: '--hostIp' };
  const mirrorAddress = await mirror.start(mirrorAt);
  lifecycle.add('the mirror', { stop: () => mirror.stop(GRACE) });
  serving.mirror = mirror;
  log.info({ mirror: mirrorAddress, ops: opsAddress, registry: upstreams.default.origin, supernodes }, 'ready');
}

/** @throws UsageError for certificates that cannot be used, and proxies that cannot be meant. */
function outwardOf(values: DfdaemonValues, { env, log }: CommandContext, trust: readonly TrustEntry[]): Outward {
  const more = values.registries.map(({ url, certs, client_cert: cert, client_key: key }) => ({
    host: { host: url.hostname, port: portOf(url) },
    ca: certs,
    cert,
    key,
  }));
  try {
    return outwardFrom(values, env, originLog(log), [...more, ...trust]);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** This daemon fetches from its registries and from where they redirect to; it takes no URLs from others. */
function rulesFor(upstreams: Upstreams): OriginRules {
  return new OriginRules({ allow: registriesOf(upstreams), flag: '--registry' });
}

function registriesOf(upstreams: Upstreams): readonly HostPort[] {
  const urls = [upstreams.default, ...upstreams.byHost.values()];
  return urls.map((url) => ({ host: url.hostname, port: portOf(url) }));
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`the folder for the store cannot be made (${why}); choose another with --data-dir`, 1, {
      cause: error,
    });
  }
}
