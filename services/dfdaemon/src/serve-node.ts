import { createSecureContext } from 'node:tls';
import { CommandError, UsageError, Watchdog, resolveSupernodes, warnOfIdle } from '@cdk8s-dragonfly/command';
import type { Closeable, CommandContext, CommandValues, Log } from '@cdk8s-dragonfly/command';
import { PATHS, PORTS } from '@cdk8s-dragonfly/contract';
import type { DFDAEMON } from '@cdk8s-dragonfly/contract';
import type { BlobProvider, Outlook, SwarmNodeOptions } from '@cdk8s-dragonfly/engine';
import {
  FreshFiles,
  OriginClient,
  OriginRules,
  Relay,
  TokenHosts,
  TokenServerRules,
  originLog,
  outwardFrom,
} from '@cdk8s-dragonfly/origin';
import type { HostPort, Outward, TrustEntry } from '@cdk8s-dragonfly/origin';
import { makeFolder } from '@cdk8s-dragonfly/store';
import { BlobAccess } from './access/blob-access';
import { DockerCredentials } from './access/docker-credentials';
import { OwnAccess } from './access/own-access';
import { ManifestAnswers } from './manifests/manifest-answer';
import { ManifestStore } from './manifests/manifest-store';
import { parseTagPolicy } from './manifests/tag-policy';
import { responseLogger } from './mirror/log-response';
import { MirrorServer } from './mirror/mirror-server';
import type { KeyPair } from './mirror/mirror-server';
import { Pings } from './mirror/ping';
import type { ResponseRecord } from './mirror/response-record';
import { UnhadBlobs } from './mirror/unhad-blobs';
import { parseUpstreams } from './mirror/upstreams';
import type { Upstreams } from './mirror/upstreams';
import { aboutDaemon } from './ops/about';
import { Metrics } from './ops/metrics';
import type { MeasuredNode } from './ops/metrics';
import { OpsServer } from './ops/ops-server';
import { Pulls } from './ops/pulls';
import { reach } from './ops/reach';
import { RecentBlobs } from './ops/recent-blobs';
import { proxyFrom, proxyOriginRules, proxySettings } from './proxy/proxy-from';

/** What the command line of a df-daemon says. */
export type DfdaemonValues = CommandValues<typeof DFDAEMON>;

/** Starts a node of the swarm: it serves its neighbours when this resolves, and until it is stopped. */
export type StartNode = (options: SwarmNodeOptions) => Promise<BlobProvider & Outlook & Closeable & MeasuredNode>;

/** How long tunnels may go on after the last pull when the daemon stops, in milliseconds. */
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
  const proxying = proxySettings(values, ctx.log);
  const outward = outwardOf(values, ctx, proxying.trust);
  const policy = parseTagPolicy(values.tagPolicy);
  const tls = ownCertificate(values, ctx.log);
  const { lifecycle, log } = ctx;
  const supernodes = resolveSupernodes(values, {
    dfgetConfig: PATHS.dfgetConfig,
    tell: (idle) => warnOfIdle(log, [idle]),
  });
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

  await makeHome(values.dataDir);
  if (supernodes.length === 0) {
    const nameableIn = ['--node', `supernodes in ${values.config}`, values.nodeConfig, `nodes in ${PATHS.dfgetConfig}`];
    log.warn({ nameableIn }, 'no supernode: all comes from the registry');
  }
  const peers = { host: values.peerIp, port: values.peerPort, portFlag: '--peer-port', hostFlag: '--peer-ip' };
  const proxyRules = proxyOriginRules(values, registriesOf(upstreams), ctx.env);
  // Rules may lead to any registry; without them this daemon fetches from its own.
  const originRules = proxying.rules.length > 0 ? proxyRules : rulesFor(upstreams);
  const node = await startNode({
    ...values,
    downloadRate: values.ratelimit,
    uploadRate: values.uploadLimit,
    supernodes,
    peers,
    originRules,
    outward,
    log,
  });
  serving.node = lifecycle.add('the node', node);

  const own = ownAccess(values, ctx, { upstreams, registry, outward });
  const access = new BlobAccess(values.blobAuthorization);
  const unhad = new UnhadBlobs();
  const store = lifecycle.add('the manifests', await ManifestStore.open(values.dataDir, log));
  const now = (): number => Date.now();
  const manifests = new ManifestAnswers({ store, policy, access, unhad, provider: node, anybody: own, now });
  const pulls = lifecycle.add('the pulls', new Pulls((pull) => log.info(pull, 'pull')));
  const metrics = new Metrics(node);
  serving.metrics = metrics;
  const blobs = new RecentBlobs();
  const toLog = responseLogger(log);
  const record = (response: ResponseRecord): void => {
    toLog(response);
    metrics.record(response);
    pulls.record(response);
    blobs.record(response);
  };
  const { version } = ctx;
  const about = aboutDaemon({
    argv: process.argv.slice(2),
    env: ctx.env,
    version,
    reach: () => reach({ supernodes, upstreams, registry, own, version }),
    blobs: () => blobs.list(),
  });
  const pings = new Pings(policy.stale);
  const pulling = { provider: node, own, access, manifests, pings, unhad, about, record };
  const proxy = proxyFrom(values, proxying, { pulling, outward, originRules: proxyRules, log });
  const mirror = new MirrorServer({ ...pulling, upstreams, registry }, { proxy, tls });
  // Told to stop while it started: no runtime is to come any more.
  if (ctx.signal.aborted) return;
  const mirrorAt = { host: values.hostIp, port: values.port, portFlag: '--port', hostFlag: '--hostIp' };
  const mirrorAddress = await mirror.start(mirrorAt);
  lifecycle.add('the mirror', {
    stop: async () => {
      await mirror.drain(values.drainTimeout);
      await mirror.stop(GRACE);
    },
  });
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

/** What the mirror speaks https with; undefined: it speaks http. @throws UsageError when it cannot be used. */
function ownCertificate({ certPem, keyPem }: DfdaemonValues, log: Log): FreshFiles<KeyPair> | undefined {
  if (certPem === undefined && keyPem === undefined) return undefined;
  if (certPem === undefined || keyPem === undefined) {
    throw new UsageError('--certpem and --keypem go together: give both, or none for a mirror that speaks http');
  }
  try {
    return new FreshFiles({
      paths: [certPem, keyPem],
      parse: (cert: string, key: string) => {
        createSecureContext({ cert, key });
        return { cert, key };
      },
      log: originLog(log),
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`the mirror cannot speak https with ${certPem} and ${keyPem}: ${why}`, { cause: error });
  }
}

/** @throws UsageError for a file of credentials that cannot be used, and token servers that cannot be meant. */
function ownAccess(
  values: DfdaemonValues,
  { log, lifecycle }: CommandContext,
  { upstreams, registry, outward }: { upstreams: Upstreams; registry: Relay; outward: Outward },
): OwnAccess {
  const tokenHosts = tokenHostsOf(values.tokenServer);
  const allow = [...registriesOf(upstreams), ...tokenHosts.configured];
  const { originFirstByteTimeout: firstByteTimeout, originStallTimeout: stallTimeout } = values;
  const rules = new TokenServerRules({ allow, flag: '--token-server REGISTRY=' });
  const tokenServers = lifecycle.add(
    'the client of token servers',
    new OriginClient({ rules, outward, firstByteTimeout, stallTimeout, log: originLog(log) }),
  );
  return new OwnAccess({
    registry,
    tokenServers,
    credentials: values.registryAuth.map((path) => credentialsOf(path, log)),
    namesOf: (url) => [
      url.host,
      ...[...upstreams.byHost].flatMap(([host, one]) => (one.href === url.href ? [host] : [])),
    ],
    configured: upstreamUrls(upstreams),
    tokenHosts,
    log,
  });
}

function tokenHostsOf(pairs: readonly string[]): TokenHosts {
  try {
    return new TokenHosts(pairs);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function credentialsOf(path: string, log: Log): FreshFiles<DockerCredentials> {
  try {
    return new FreshFiles({ paths: [path], parse: (text) => DockerCredentials.parse(text), log: originLog(log) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`the file ${path} of --registry-auth cannot be used: ${why}`, { cause: error });
  }
}

function upstreamUrls({ default: first, byHost }: Upstreams): readonly URL[] {
  return [first, ...byHost.values()];
}

/** This daemon fetches from its registries and from where they redirect to; it takes no URLs from others. */
function rulesFor(upstreams: Upstreams): OriginRules {
  return new OriginRules({ allow: registriesOf(upstreams), flag: '--registry' });
}

function registriesOf(upstreams: Upstreams): readonly HostPort[] {
  return upstreamUrls(upstreams).map((url) => ({ host: url.hostname, port: portOf(url) }));
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

async function makeHome(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`the folder for the store cannot be made (${why}); choose another with --data-dir`, 1, {
      cause: error,
    });
  }
}
