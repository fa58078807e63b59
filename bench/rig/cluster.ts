import type { Host } from '../../e2e/world/host';
import type { Image } from '../../e2e/world/image';
import { Registry } from '../../e2e/world/registry';
import { World } from '../../e2e/world/world';
import { Puller } from './puller';
import type { ImagePull } from './puller';
import type { System } from './system';
import { cpuSeconds, memory } from './usage';

const MIB = 1024 * 1024;

/** Rates of links in megabits a second, each way. Undefined: no limit. */
export interface Links {
  readonly node: number | undefined;
  /** Of the supernode, or whatever else stands in the middle. */
  readonly centre: number | undefined;
  readonly registry: number | undefined;
}

/** What the processes of one role took. */
export interface Cost {
  readonly cpuSeconds: number;
  /** The largest that any of them was, in MiB. */
  readonly peakMiB: number;
}

/** How a herd pulled. */
export interface Herd {
  readonly system: string;
  readonly nodes: number;
  /** Bytes of the image. */
  readonly bytes: number;
  readonly pulls: readonly ImagePull[];
  /** Why pulls failed. */
  readonly failures: readonly string[];
  /** How often the image left the registry. */
  readonly copies: number;
  /** What left the centre on the wire, headers included, as a multiple of the image. */
  readonly centreSent: number;
  readonly traffic: Readonly<Record<string, number>> | undefined;
  readonly centre: Cost;
  readonly node: Cost;
}

/** A registry, a host for what stands in the middle, and nodes with a puller each: hosts with links of their own. */
export class Cluster {
  private constructor(
    readonly world: World,
    readonly registry: Registry,
    readonly centre: Host,
    readonly nodes: readonly Host[],
    readonly pullers: readonly Puller[],
  ) {}

  static async create(size: number, links: Links): Promise<Cluster> {
    const world = await World.create();
    try {
      const host = async (name: string, megabits: number | undefined): Promise<Host> => {
        const made = await world.host(name);
        if (megabits !== undefined) await world.network.limitLink(name, megabits);
        return made;
      };
      const registry = await Registry.start(await host('registry', links.registry));
      const centre = await host('supernode', links.centre);
      const nodes: Host[] = [];
      for (let index = 1; index <= size; index += 1) nodes.push(await host(`node${index}`, links.node));
      const pullers = await Promise.all(nodes.map((node) => Puller.start(node)));
      return new Cluster(world, registry, centre, nodes, pullers);
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  /** Starts a system with empty stores on the first `count` nodes, uses it, and stops it. */
  async with<T>(system: System, count: number, use: (hosts: readonly Host[]) => Promise<T>): Promise<T> {
    const hosts = this.nodes.slice(0, count);
    return await this.world.explain(async () => {
      try {
        await system.startCentre(this.centre, this.registry);
        for (const host of hosts) await system.startNode(host);
        return await use(hosts);
      } finally {
        await system.stop();
      }
    });
  }

  /**
   * Has all of the first `count` nodes pull an image at once, by a system with empty stores.
   *
   * @param before an image that they pull first: daemons that run for long have run their code before. Its cost is not counted.
   */
  async herd(system: System, count: number, image: Image, before?: Image): Promise<Herd> {
    return await this.with(system, count, async (hosts) => {
      const pull = (what: Image): Promise<PromiseSettledResult<ImagePull>[]> =>
        Promise.allSettled(hosts.map((host, index) => this.puller(index).pull(system.mirrorUrl(host), what)));
      if (before !== undefined) await pull(before);
      const trafficBefore = await system.traffic(hosts);
      const processes = system.processes();
      const cpuBefore = new Map(processes.map(({ pid }) => [pid, cpuSeconds(pid)]));
      const requestsBefore = this.registry.requests().length;
      const sentBefore = this.world.network.bytesSentBy(this.centre.name);
      const outcomes = await pull(image);
      const cost = (role: 'centre' | 'node'): Cost => {
        const pids = processes.filter((process) => process.role === role).map(({ pid }) => pid);
        return {
          cpuSeconds: pids.reduce((sum, pid) => sum + cpuSeconds(pid) - (cpuBefore.get(pid) ?? 0), 0),
          peakMiB: Math.max(0, ...pids.map((pid) => memory(pid).peak)),
        };
      };
      const bytes = image.layers.reduce((sum, { size }) => sum + size, 0);
      const left = this.registry
        .requests()
        .slice(requestsBefore)
        .filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
        .reduce((sum, request) => sum + request.bytes, 0);
      return {
        system: system.name,
        nodes: count,
        bytes,
        pulls: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
        failures: outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : [])),
        copies: left / bytes,
        centreSent: (this.world.network.bytesSentBy(this.centre.name) - sentBefore) / bytes,
        traffic: difference(await system.traffic(hosts), trafficBefore),
        centre: cost('centre'),
        node: cost('node'),
      };
    });
  }

  puller(index: number): Puller {
    const puller = this.pullers[index];
    if (puller === undefined) throw new Error(`There are ${this.pullers.length} nodes, not ${index + 1}.`);
    return puller;
  }

  async stop(): Promise<void> {
    await this.world.stop();
  }
}

function difference(after: Herd['traffic'], before: Herd['traffic']): Herd['traffic'] {
  if (after === undefined) return undefined;
  return Object.fromEntries(Object.entries(after).map(([source, bytes]) => [source, bytes - (before?.[source] ?? 0)]));
}

/** The time at a quantile of the pulls of a herd, in milliseconds. */
export function timeAt({ pulls }: Herd, quantile: number): number {
  const sorted = pulls.map(({ ms }) => ms).sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? NaN;
}

/** Until the slowest first byte of a layer, in milliseconds. */
export function firstByteOf({ pulls }: Herd): number {
  return Math.max(...pulls.flatMap(({ layers }) => layers.map(({ firstByte }) => firstByte)));
}

/** Sizes of layers that come to `mebibytes` in all. */
export function evenLayers(mebibytes: number, count: number): readonly number[] {
  return Array.from({ length: count }, () => Math.round((mebibytes * MIB) / count));
}
