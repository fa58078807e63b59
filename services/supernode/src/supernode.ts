import type { KeyObject } from 'node:crypto';

import type { BoundAddress, Closeable, ListenOptions, Log } from '@cdk8s-dragonfly/command';
import { CommandError, Lifecycle } from '@cdk8s-dragonfly/command';
import { Throttle, limitedOrigin } from '@cdk8s-dragonfly/origin';
import type { HostPort, Outward, TokenHosts } from '@cdk8s-dragonfly/origin';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { BlobStore, StoreInUse } from '@cdk8s-dragonfly/store';

import { ClassicAliases } from './classic/classic-aliases';
import { classicRoutes } from './classic/classic-routes';
import { ClassicTasks } from './classic/classic-tasks';
import { pieceDownload } from './classic/piece-download';
import { ApiServer } from './fronts/api-server';
import { BlockServer } from './fronts/block-server';
import { holdingsRoute } from './fronts/holdings-route';
import type { FrontLimits } from './fronts/limits';
import { logRegistration } from './fronts/registration-log';
import { registryRoute } from './fronts/registry-route';
import { reportsRoute } from './fronts/reports-route';
import { sessionRoute } from './fronts/session-route';
import { Announced } from './holders/announced';
import { HolderRoads } from './holders/holders';
import { HoldingsIndex } from './holders/holdings-index';
import { Operations } from './operations';
import { originClients } from './origin-clients';
import { preheatRoutes } from './preheat/preheat-routes';
import { Preheats } from './preheat/preheats';
import { RemoteBlobs } from './preheat/remote-blobs';
import { Forwarder } from './replicas/forward';
import { ForwardClient } from './replicas/forward-client';
import { ForwardMark } from './replicas/forward-mark';
import { ForwardMemory } from './replicas/forward-memory';
import { replicaRoute } from './replicas/replica-route';
import { ReplicaSet } from './replicas/replica-set';
import type { ReplicaAddress } from './replicas/replica-set';
import { SessionHub } from './sessions/session-hub';
import { loadSigningKey } from './signing-key';
import { defaultAdvertisedIp } from './tasks/advertised';
import { Forgetting } from './tasks/forgetting';
import { OriginTurns } from './tasks/origin-turns';
import type { OriginTurnsOptions } from './tasks/origin-turns';
import { Registrar } from './tasks/register';
import { TaskTable } from './tasks/task-table';

/** What a supernode is made of. Times are in milliseconds. */
export interface SupernodeOptions {
  readonly homeDir: string;
  /** The most that the store may take on disk, in bytes. Default: no limit. */
  readonly diskQuota?: number | undefined;
  /** What must stay free on its file system, in bytes. Default 0. */
  readonly minFree?: number | undefined;
  readonly api: ListenOptions;
  readonly blocks: ListenOptions;
  /** Default: see {@link defaultAdvertisedIp}. */
  readonly advertiseIp?: string | undefined;
  /** The PEM file of the key that attests blocks. Default: one in the home directory, made when missing. */
  readonly signingKey?: string | undefined;
  /** All replicas of the supernode, this one too; empty: this is the only one. */
  readonly peers?: readonly ReplicaAddress[] | undefined;
  /** The only origins that may be asked; empty: any that is not refused by its address. */
  readonly allowOrigin: readonly HostPort[];
  /** Which token servers a preheat may show a registry's credentials. Default: those that are known. */
  readonly tokenHosts?: TokenHosts | undefined;
  /** Certificates and proxies for origins. Default: none of our own. */
  readonly outward?: Outward | undefined;
  readonly originFirstByteTimeout: number;
  readonly originStallTimeout: number;
  /** Bytes a second that all downloads from origins may take together. Default: no limit. */
  readonly originRate?: number | undefined;
  /** How many blobs are fetched at a time. Default: see {@link OriginTurnsOptions}. */
  readonly originTurns?: OriginTurnsOptions | undefined;
  /** For how long, in milliseconds, an origin that did not give a blob is not asked for it again. Default 0. */
  readonly failAccessInterval?: number | undefined;
  /** What clients may take of each port. Default: see `API_LIMITS` and `BLOCK_LIMITS`. */
  readonly limits?: Partial<FrontLimits> | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** A running supernode. */
export class Supernode implements Closeable {
  private constructor(
    private readonly parts: Lifecycle,
    private readonly goodbye: () => Promise<void>,
    readonly api: BoundAddress,
    readonly blocks: BoundAddress,
  ) {}

  /** @throws CommandError when a port or the store cannot be had; Error when the home directory cannot be used. */
  static async start(options: SupernodeOptions): Promise<Supernode> {
    const { log } = options;
    const parts = new Lifecycle();
    const operations = parts.add('the measures', new Operations());
    operations.start();
    try {
      const ip = options.advertiseIp ?? defaultAdvertisedIp();
      const key = await loadSigningKey(options.homeDir, options.signingKey);
      const store = parts.add('the store', await openStore(options));
      const { origin, tokenServers } = originClients(options, ip, store.buffers);
      parts.add('the origin client', origin);
      parts.add('the client of token servers', tokenServers);
      const holdings = new HoldingsIndex();
      const bound: { api?: BoundAddress } = {};
      const replicas = new ReplicaSet({
        peers: options.peers ?? [],
        key,
        api: () => ({ host: ip, port: bound.api?.port ?? options.api.port }),
        underWay: (most) => tasks.underWay(most),
        log,
      });
      const sessions = new SessionHub(holdings, replicas.id);
      const { originRate, limits } = options;
      const limited = originRate === undefined ? origin : limitedOrigin(origin, new Throttle(originRate));
      const turns = new OriginTurns(options.originTurns);
      const taskTools = {
        origin: limited,
        turns,
        store,
        key,
        roads: parts.add('the ways to daemons', new HolderRoads()),
        holdersOf: (blob: BlobId) => holdings.holdersOf(blob),
        log,
        meter: operations.tasks,
        retryAfter: options.failAccessInterval,
      };
      const tasks: TaskTable = parts.add(
        'the tasks',
        new TaskTable(taskTools, sessions, {
          placed: (ms) => operations.placed(ms),
          made: (swarm) => announced.seat(swarm),
          usedElsewhere: (blob) => classic.uses(blob),
          forgot: (blob) => classic.forget(blob),
        }),
      );
      const announced = new Announced({ index: holdings, sessions, tasks });
      parts.add(
        'the sessions',
        closing(() => sessions.stop()),
      );
      const aliases = new ClassicAliases();
      const blockServer = parts.add(
        'the piece server',
        new BlockServer({
          tasks,
          log,
          limits,
          others: pieceDownload({
            tasks,
            aliases,
            log,
            served: (bytes) => (operations.traffic.originalBytes += bytes),
          }),
          served: (bytes) => (operations.traffic.nativeBytes += bytes),
        }),
      );
      const blocks = await blockServer.start(options.blocks);
      const advertised = { ip, port: blocks.port };
      const registrar = new Registrar({ tasks, sessions, key, advertised, replicas });
      const classic: ClassicTasks = new ClassicTasks({
        tasks,
        aliases,
        advertised,
        log,
        peerServed: (bytes) => (operations.traffic.peerBytes += bytes),
      });
      parts.add(
        'the original protocol',
        closing(() => classic.stop()),
      );
      parts.add('the forgetting', new Forgetting(classic, sessions, tasks, holdings));
      const forwarder = forwarderOf({ classic, tasks, replicas, key, log, parts });
      const registry = registryRoute(registrar, forwarder, replicas, (request, answer, id) => {
        operations.registered(request, answer);
        logRegistration(log, request, answer, id);
      });
      const remote = new RemoteBlobs(replicas, log);
      const preheats = parts.add(
        'the preheats',
        new Preheats({ tasks, remote, origin, tokenServers, tokenHosts: options.tokenHosts, log }),
      );
      const routes = [
        sessionRoute(sessions),
        holdingsRoute(announced),
        reportsRoute(sessions),
        replicaRoute(replicas),
        registry,
        preheatRoutes(preheats),
      ];
      const opsRoutes = operations.routes({
        homeDir: options.homeDir,
        advertised,
        states: () => tasks.states(),
        originFetches: () => ({ running: turns.running, waiting: turns.waiting }),
        sessions: () => sessions.openSessions,
        connections: () => ({ api: apiServer.openConnections, pieces: blockServer.openConnections }),
        store: () => ({ bytes: store.usage.bytes, quota: options.diskQuota }),
        parts: () =>
          new Map([
            ['the control API', apiServer.listening],
            ['the piece server', blockServer.listening],
          ]),
      });
      const meter = operations.http;
      const apiOptions = { log, limits, meter, direct: classicRoutes(forwarder), processId: replicas.id };
      const apiServer = parts.add('the control API', new ApiServer(apiOptions, ...routes, ...opsRoutes));
      const api = await apiServer.start(options.api);
      bound.api = api;
      parts.add('the look at the other replicas', replicas);
      await replicas.start();
      const goodbye = async (): Promise<void> => {
        const drained = apiServer.drain();
        sessions.stop();
        await Promise.all([drained, blockServer.stop()]);
      };
      return new Supernode(parts, goodbye, api, blocks);
    } catch (error) {
      await parts.stop();
      throw error;
    }
  }

  /** Takes nothing new, ends the sessions so that daemons notice at once, lets running answers end (10 s at most), and stops. */
  async stop(): Promise<void> {
    await this.goodbye();
    await this.parts.stop();
  }
}

async function openStore({ homeDir, diskQuota, minFree, log }: SupernodeOptions): Promise<BlobStore> {
  return BlobStore.open(homeDir, { quota: diskQuota, minFree, log }).catch((error: unknown) => {
    throw error instanceof StoreInUse ? new CommandError(error.message, 1, { cause: error }) : error;
  });
}

function forwarderOf(tools: {
  classic: ClassicTasks;
  tasks: TaskTable;
  replicas: ReplicaSet;
  key: KeyObject;
  log: Log;
  parts: Lifecycle;
}): Forwarder {
  const { classic, tasks, replicas, key, log, parts } = tools;
  const now = (): number => performance.now();
  const client = new ForwardClient();
  parts.add(
    'the ways to other replicas',
    closing(() => client.stop()),
  );
  const mark = new ForwardMark(key);
  return new Forwarder({ classic, tasks, replicas, mark, memory: new ForwardMemory(now), client, now, log });
}

/** A part whose end needs no waiting. */
function closing(stop: () => void): Closeable {
  return {
    stop: () => {
      stop();
      return Promise.resolve();
    },
  };
}
