import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { createLog } from '@cdk8s-dragonfly/command';
import type { Log } from '@cdk8s-dragonfly/command';
import { SwarmNode } from '@cdk8s-dragonfly/engine';
import type { BlobRequest } from '@cdk8s-dragonfly/engine';
import { OriginRules } from '@cdk8s-dragonfly/origin';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import { Supernode } from '@cdk8s-dragonfly/supernode';
import type { ReplicaAddress, SupernodeOptions } from '@cdk8s-dragonfly/supernode';

import { freePort } from '../support/free-port';
import { CountedOrigin } from './counted-origin';
import { FalsePeer } from './false-peer';
import type { FalseAnswer } from './false-peer';
import { SupernodeProcess } from './supernode-process';

/** A disk for a store, and how much of it may be used, in bytes. */
export interface Disk {
  /** Default: a folder of its own on the disk of the system's temporary files. */
  readonly folder?: string;
  readonly diskQuota?: number;
  readonly minFree?: number;
}

/** What a node of its own limits. */
export interface NodeLimits {
  /** Bytes a second. Default: no limit. */
  readonly downloadRate?: number;
  readonly uploadRate?: number;
  /** Milliseconds. Default 15 000. */
  readonly originFirstByteTimeout?: number;
  /** Milliseconds. Default {@link ORIGIN_STALL}. */
  readonly originStallTimeout?: number;
  /** Milliseconds. Default 5000: nobody is taken for silent who only has little of the CPU. */
  readonly supernodeSilence?: number;
}

/** How long an origin may stand still in these swarms, in milliseconds. */
const ORIGIN_STALL = 500;

/** A supernode, nodes and an origin in this process, over real sockets and files. */
export class Swarm {
  readonly log: Log;
  readonly lines: string[] = [];
  private readonly logged = new EventEmitter();
  private readonly nodes: SwarmNode[] = [];
  private count = 0;

  private readonly supernodes: Supernode[] = [];
  private readonly falsePeers: FalsePeer[] = [];
  private readonly processes: SupernodeProcess[] = [];

  private constructor(
    readonly home: string,
    readonly origin: CountedOrigin,
    private readonly host: string,
    private readonly name = host,
  ) {
    const { lines, logged } = this;
    this.log = createLog(
      'debug',
      'test',
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          lines.push(chunk.toString());
          logged.emit('line');
          done();
        },
      }),
    );
  }

  /**
   * @param replicas how many supernodes in this process; @param disk of the first; @param host the address of all; @param name the one by which
   * supernodes are named to daemons and each other, and which leads to the same.
   */
  static async start(replicas = 1, disk: Disk = {}, host = '127.0.0.1', name = host): Promise<Swarm> {
    const swarm = new Swarm(await mkdtemp(join(tmpdir(), 'swarm-')), await CountedOrigin.start(host), host, name);
    // Replicas have to know each other's before they start.
    const ports = await Promise.all(Array.from({ length: replicas }, freePort));
    const peers = replicas === 1 ? [] : ports.map((port) => ({ host: name, port }));
    const signingKey = join(swarm.home, 'signing-key.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(signingKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    for (const [index, port] of ports.entries())
      await swarm.startSupernode({ index, port, peers, signingKey, disk: index === 0 ? disk : {} });
    // Each has to have seen the others before who owns what is the same everywhere.
    for (const { api } of swarm.supernodes) await swarm.until(() => swarm.sees(api.port) === replicas - 1);
    return swarm;
  }

  get supernodePorts(): number[] {
    return this.supernodes.map(({ api }) => api.port);
  }

  get supernodePort(): number {
    return this.supernodePorts[0] ?? 0;
  }

  /** Where the first supernode serves blocks. */
  get blocksPort(): number {
    return this.supernodes[0]?.blocks.port ?? 0;
  }

  async startSupernode(options: {
    index: number;
    port: number;
    peers: ReplicaAddress[];
    signingKey: string;
    disk?: Disk;
    originTurns?: SupernodeOptions['originTurns'];
  }): Promise<void> {
    const { index, port, peers, signingKey, originTurns, disk: { folder, ...limits } = {} } = options;
    const supernode = await Supernode.start({
      homeDir: folder ?? join(this.home, `supernode-${index}`),
      ...limits,
      api: { host: this.name === this.host ? this.host : '0.0.0.0', port },
      blocks: { host: this.host, port: 0 },
      advertiseIp: this.host,
      peers,
      signingKey,
      allowOrigin: [{ host: this.host, port: this.origin.port }],
      originFirstByteTimeout: 5000,
      originStallTimeout: ORIGIN_STALL,
      originTurns,
      env: {},
      log: this.log.child({ supernode: port }),
    });
    this.supernodes.push(supernode);
  }

  async stopSupernode(port = this.supernodePort): Promise<void> {
    const index = this.supernodes.findIndex(({ api }) => api.port === port);
    const [supernode] = this.supernodes.splice(index, 1);
    await supernode?.stop();
  }

  /** Stops the only supernode and starts it on the same port and home, or with an empty disk. */
  async restartSupernode(disk: 'same' | 'empty' = 'same'): Promise<void> {
    const port = this.supernodePort;
    await this.stopSupernode(port);
    const index = disk === 'same' ? 0 : 100;
    await this.startSupernode({ index, port, peers: [], signingKey: join(this.home, 'signing-key.pem') });
  }

  /** The port of the supernode that runs a blob's task, by what was logged of its fetch. */
  ownerOf(blob: string): number {
    const line = this.lines.find((text) => text.includes(blob) && /"supernode":\d+/.test(text));
    return Number(/"supernode":(\d+)/.exec(line ?? '')?.[1]);
  }

  /** How many replicas a supernode has seen answer, by its log. */
  private sees(port: number): number {
    return this.lines.filter((line) => line.includes(`"supernode":${port},`) && line.includes('a replica answers'))
      .length;
  }

  /** Resolves when a node has told a supernode of so many blobs that it has whole, as often as asked. */
  async told(blobs: number, times = 1): Promise<void> {
    const text = `"blobs":${blobs},"msg":"the supernode knows what is here"`;
    await this.until(() => this.lines.filter((line) => line.includes(text)).length >= times);
  }

  /** Resolves when supernodes have had so many blobs whole. */
  async fetched(blobs: number): Promise<void> {
    await this.until(() => this.lines.filter((line) => /"supernode":.*"msg":"fetched"/.test(line)).length >= blobs);
  }

  /** Resolves when a line of the log makes `condition` true. */
  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => this.logged.once('line', resolve));
  }

  async addNode(
    name = `node-${this.count++}`,
    supernodePorts = this.supernodePorts,
    { folder, ...limits }: Disk & NodeLimits = {},
  ): Promise<SwarmNode> {
    const node = await SwarmNode.start({
      dataDir: folder ?? join(this.home, name),
      // With the time of a stall it is how long nothing may come from a supernode that lives.
      originFirstByteTimeout: 15_000,
      originStallTimeout: ORIGIN_STALL,
      supernodeSilence: 5000,
      ...limits,
      supernodes: supernodePorts.map((port) => ({ host: this.name, port })),
      peers: { host: this.host, port: 0 },
      originRules: new OriginRules({ allow: [{ host: this.host, port: this.origin.port }] }),
      connectTimeout: 5000,
      peerStallTimeout: 2000,
      log: this.log.child({ node: name }),
    });
    this.nodes.push(node);
    return node;
  }

  /**
   * A member of a blob's swarm at the first supernode that answers as a test wants.
   *
   * @param says the lines in which it tells what it has. Default: the first `blocks`.
   */
  async addFalsePeer(
    wanted: { readonly blob: Digest; readonly url: URL; readonly blocks: number },
    answer: FalseAnswer,
    says?: () => string[],
  ): Promise<FalsePeer> {
    const peer = await FalsePeer.join(this.supernodePort, wanted, answer, says);
    this.falsePeers.push(peer);
    return peer;
  }

  /** A supernode that can be killed and stopped. @param ports of one that was there before, with its home. Default: free ones. */
  async addSupernodeProcess(ports?: { readonly api: number; readonly blocks: number }): Promise<SupernodeProcess> {
    const { api, blocks } = ports ?? { api: await freePort(), blocks: await freePort() };
    const home = join(this.home, `process-${api}`);
    const supernode = await SupernodeProcess.start(home, { api, blocks, origin: this.origin.port });
    this.processes.push(supernode);
    return supernode;
  }

  async stopNode(node: SwarmNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await node.stop();
  }

  async stop(): Promise<void> {
    await Promise.all(this.falsePeers.map((peer) => peer.stop()));
    await Promise.all(this.processes.map((supernode) => supernode.stop()));
    await Promise.all(this.nodes.map((node) => node.stop()));
    await Promise.all(this.supernodes.map((supernode) => supernode.stop()));
    await this.origin.stop();
    await rm(this.home, { recursive: true, force: true });
  }
}

/** All bytes of a blob through a node. */
export async function readAll(
  node: SwarmNode,
  request: Pick<BlobRequest, 'blob' | 'url'> & Partial<BlobRequest>,
  range: { from: number; end?: number } = { from: 0 },
  onBytes?: (sum: number) => void | Promise<void>,
): Promise<Buffer> {
  const { signal } = new AbortController();
  const open = await node.open({ headers: [], ...request }, signal);
  try {
    const chunks: Buffer[] = [];
    let sum = 0;
    for await (const chunk of open.read(range, signal)) {
      chunks.push(chunk);
      sum += chunk.length;
      await onBytes?.(sum);
    }
    return Buffer.concat(chunks);
  } finally {
    open.release();
  }
}
