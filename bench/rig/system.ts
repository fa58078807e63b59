import { rmSync } from 'node:fs';

import { Registry } from '../../e2e/world/registry';
import type { Daemon } from '../../e2e/world/daemon';
import type { Host } from '../../e2e/world/host';
import { MIRROR, startDfDaemon, startSupernode } from '../../e2e/world/swarm';

/** A process whose CPU and memory are told. */
export interface Measured {
  readonly role: 'centre' | 'node';
  readonly pid: number;
}

/** What brings images to nodes. Started anew, with empty stores, for each measurement. */
export interface System {
  readonly name: string;
  /** Starts what nodes depend on. */
  startCentre(host: Host, registry: Registry): Promise<void>;
  startNode(host: Host): Promise<void>;
  /** Where the runtime of a node pulls from. */
  mirrorUrl(host: Host): string;
  /** Payload bytes by where nodes had them from; undefined: it does not tell. */
  traffic(hosts: readonly Host[]): Promise<Readonly<Record<string, number>> | undefined>;
  processes(): readonly Measured[];
  /** Stops everything in order. @throws Error when a process does not end as it should. */
  stop(): Promise<void>;
}

/** The supernode and the df-daemons as they are shipped. */
export class Swarm implements System {
  readonly name = 'cdk8s-dragonfly';
  private centre: { readonly host: Host; readonly registry: Registry } | undefined;
  private readonly folders: string[] = [];
  private readonly running: { readonly role: Measured['role']; readonly daemon: Daemon }[] = [];

  constructor(private readonly flags: readonly string[] = ['--log-level', 'warn']) {}

  async startCentre(host: Host, registry: Registry): Promise<void> {
    this.centre = { host, registry };
    const daemon = await startSupernode(host, registry, this.flags);
    this.running.push({ role: 'centre', daemon });
    this.folders.push(host.path('home'));
  }

  async startNode(host: Host): Promise<void> {
    if (this.centre === undefined) throw new Error('the supernode is started first');
    const daemon = await startDfDaemon(host, this.centre.registry, this.centre.host, this.flags);
    this.running.push({ role: 'node', daemon });
    this.folders.push(host.path('dfdaemon'));
  }

  mirrorUrl(): string {
    return `http://${MIRROR}`;
  }

  async traffic(hosts: readonly Host[]): Promise<Readonly<Record<string, number>>> {
    const sum: Record<string, number> = {};
    for (const host of hosts) {
      const text = await (await fetch(`http://${host.ip}:65003/metrics`)).text();
      for (const [, source = '', bytes] of text.matchAll(
        /^dragonfly_dfdaemon_bytes_total\{source="(\w+)"\} (\S+)$/gm,
      )) {
        sum[source] = (sum[source] ?? 0) + Number(bytes);
      }
    }
    return sum;
  }

  /** The daemons in the order of their start, the supernode first. */
  get daemons(): readonly Daemon[] {
    return this.running.map(({ daemon }) => daemon);
  }

  processes(): readonly Measured[] {
    return this.running.filter(({ daemon }) => daemon.running).map(({ role, daemon }) => ({ role, pid: daemon.pid }));
  }

  async stop(): Promise<void> {
    await stopAll(this.running.splice(0).map(({ daemon }) => daemon));
    for (const folder of this.folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  }
}

/** No system: every node pulls from the registry. */
export class Direct implements System {
  readonly name = 'direct';
  private registry: Registry | undefined;

  startCentre(_host: Host, registry: Registry): Promise<void> {
    this.registry = registry;
    return Promise.resolve();
  }

  startNode(): Promise<void> {
    return Promise.resolve();
  }

  mirrorUrl(): string {
    if (this.registry === undefined) throw new Error('the registry is started first');
    return this.registry.url;
  }

  traffic(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  processes(): readonly Measured[] {
    return [];
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** A pull-through cache: docker-registry with `proxy.remoteurl`. */
export class Cache implements System {
  readonly name = 'pull-through cache';
  private cache: Registry | undefined;

  async startCentre(host: Host, registry: Registry): Promise<void> {
    this.cache = await Registry.start(host, undefined, registry.url);
  }

  startNode(): Promise<void> {
    return Promise.resolve();
  }

  mirrorUrl(): string {
    if (this.cache === undefined) throw new Error('the cache is started first');
    return this.cache.url;
  }

  traffic(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  processes(): readonly Measured[] {
    return this.cache === undefined ? [] : [{ role: 'centre', pid: this.cache.daemon.pid }];
  }

  async stop(): Promise<void> {
    if (this.cache === undefined) return;
    await this.cache.daemon.stop();
    // The next herd finds a cache that has nothing, as it finds us.
    rmSync(this.cache.storage, { recursive: true });
  }
}

async function stopAll(daemons: readonly Daemon[]): Promise<void> {
  // Nodes before what they depend on.
  for (const daemon of [...daemons].reverse()) {
    if (!daemon.running) continue;
    const ending = await daemon.stop(20_000);
    if (ending !== 0) throw new Error(`${daemon.name} ended with ${ending}:\n${daemon.tail()}`);
  }
}
