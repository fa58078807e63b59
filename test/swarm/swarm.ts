import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { createLog } from '@cdk8s-dragonfly/command';
import type { Log } from '@cdk8s-dragonfly/command';
import { SwarmNode } from '@cdk8s-dragonfly/engine';
import type { BlobRequest } from '@cdk8s-dragonfly/engine';
import { OriginRules } from '@cdk8s-dragonfly/origin';
import { Supernode } from '@cdk8s-dragonfly/supernode';

import { CountedOrigin } from './counted-origin';

/** A supernode, nodes and an origin in this process, over real sockets and files. */
export class Swarm {
  readonly log: Log;
  readonly lines: string[] = [];
  private readonly nodes: SwarmNode[] = [];
  private count = 0;

  private constructor(
    readonly home: string,
    readonly origin: CountedOrigin,
    private supernode: Supernode | undefined,
  ) {
    const { lines } = this;
    this.log = createLog(
      'debug',
      'test',
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          lines.push(chunk.toString());
          done();
        },
      }),
    );
  }

  static async start(): Promise<Swarm> {
    const home = await mkdtemp(join(tmpdir(), 'swarm-'));
    const swarm = new Swarm(home, await CountedOrigin.start(), undefined);
    await swarm.startSupernode();
    return swarm;
  }

  get supernodePort(): number {
    return this.supernode?.api.port ?? 0;
  }

  /** @param apiPort 0: any free port. */
  async startSupernode(apiPort = 0): Promise<void> {
    this.supernode = await Supernode.start({
      homeDir: join(this.home, 'supernode'),
      api: { host: '127.0.0.1', port: apiPort },
      blocks: { host: '127.0.0.1', port: 0 },
      advertiseIp: '127.0.0.1',
      allowOrigin: [{ host: '127.0.0.1', port: this.origin.port }],
      originFirstByteTimeout: 5000,
      originStallTimeout: 2000,
      env: {},
      log: this.log,
    });
  }

  async stopSupernode(): Promise<void> {
    await this.supernode?.stop();
    this.supernode = undefined;
  }

  async addNode(name = `node-${this.count++}`, supernodePort = this.supernodePort): Promise<SwarmNode> {
    const node = await SwarmNode.start({
      dataDir: join(this.home, name),
      supernodes: [{ host: '127.0.0.1', port: supernodePort }],
      peers: { host: '127.0.0.1', port: 0 },
      originRules: new OriginRules({ allow: [{ host: '127.0.0.1', port: this.origin.port }] }),
      connectTimeout: 1000,
      peerStallTimeout: 2000,
      supernodeSilence: 1000,
      originFirstByteTimeout: 5000,
      originStallTimeout: 2000,
      log: this.log.child({ node: name }),
    });
    this.nodes.push(node);
    return node;
  }

  async stopNode(node: SwarmNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await node.stop();
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.stopSupernode();
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
