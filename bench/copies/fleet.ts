import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { ownerOf } from '../../services/supernode/src/replicas/rendezvous';
import { freePort } from '../../test/support/free-port';
import { MeasuredProcess } from '../process/measured-process';

const SERVICES = join(__dirname, '../../services');

/** How long replicas may take to see each other, in ms. */
const LIMIT = 20_000;

interface Replica {
  readonly port: number;
  readonly log: string;
  readonly flags: readonly string[];
  process: MeasuredProcess;
}

export interface FleetOptions {
  /** Of a registry on 127.0.0.1. */
  readonly originPort: number;
  readonly replicas: number;
  readonly daemons: number;
  /** Of each daemon. */
  readonly flags: readonly string[];
  /** A folder where all logs are kept, at level debug. Default: they end with the fleet. */
  readonly logs?: string | undefined;
}

/** Supernodes and df-daemons as they are shipped, each a process of its own on loopback. */
export class Fleet {
  private readonly replicas: Replica[] = [];
  private readonly daemons: { readonly mirror: number; readonly process: MeasuredProcess }[] = [];
  private count = 0;

  private constructor(
    private readonly home: string,
    private readonly options: FleetOptions,
  ) {}

  /** @throws Error when a process does not start. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const { daemons, flags, replicas, logs } = options;
    if (logs !== undefined) await mkdir(logs, { recursive: true });
    const fleet = new Fleet(await mkdtemp(join(tmpdir(), 'copies-')), options);
    try {
      await fleet.startReplicas(replicas);
      // All at once would take the time of one another on a machine of two cores.
      for (let daemon = 0; daemon < daemons; daemon += 1) await fleet.startDaemon(flags);
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /** Where the runtimes of the nodes pull from. */
  get mirrors(): readonly number[] {
    return this.daemons.map(({ mirror }) => mirror);
  }

  /** To the supernode that owns the blob. */
  signalOwner(blob: string, signal: NodeJS.Signals): void {
    const named = this.replicas.map((replica) => ({ ...replica, name: `127.0.0.1:${replica.port}` }));
    const owner = ownerOf(blob, named) ?? named[0];
    if (owner !== undefined) process.kill(owner.process.pid, signal);
  }

  /** As an update does: each supernode is stopped and started anew, one after the other, the next when all see it again. */
  async update(): Promise<void> {
    for (const replica of [...this.replicas].reverse()) {
      const { flags, log, port } = replica;
      const others = this.replicas.filter((other) => other !== replica);
      const before = await Promise.all(others.map(async (other) => seenBy(other.log)));
      const own = await seenBy(log);
      await replica.process.stop();
      replica.process = await this.run('supernode', flags, { log, port });
      await this.until(async () => (await seenBy(log)) >= own + others.length);
      for (const [index, other] of others.entries())
        await this.until(async () => (await seenBy(other.log)) > (before[index] ?? 0));
    }
  }

  /** How often daemons said in their logs that they ask the origin, and why. */
  async reasons(): Promise<readonly string[]> {
    const logs = await Promise.all(this.daemons.map(({ mirror }) => readFile(this.logOf('node', mirror), 'utf8')));
    return logs.flatMap((text) =>
      text.split('\n').flatMap((line) => {
        const [, reason] = /"reason":"([^"]*)".*"msg":"asking the origin"/.exec(line) ?? [];
        return reason === undefined ? [] : [reason.replaceAll(/\d+/g, 'N')];
      }),
    );
  }

  async stop(): Promise<void> {
    for (const { process: daemon } of this.daemons) await daemon.stop();
    for (const { process: replica } of this.replicas) {
      if (replica.runs) process.kill(replica.pid, 'SIGCONT');
      await replica.stop();
    }
    await rm(this.home, { recursive: true, force: true });
  }

  private async startReplicas(count: number): Promise<void> {
    const ports = [];
    for (let replica = 0; replica < count; replica += 1) ports.push(await freePort());
    const key = join(this.home, 'signing-key.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const peers = count === 1 ? [] : ports.flatMap((port) => ['--peers', `127.0.0.1:${port}`]);
    for (const port of ports) {
      const home = join(this.home, `supernode-${port}`);
      await mkdir(home);
      const log = this.logOf('supernode', port);
      const own = ['--listen-ip', '127.0.0.1', '--port', `${port}`, '--download-port', `${await freePort()}`];
      const more = ['--advertise-ip', '127.0.0.1', '--home-dir', home, '--min-free', '0', '--signing-key', key];
      const to = ['--allow-origin', `127.0.0.1:${this.options.originPort}`, ...peers];
      const flags = [...own, ...more, ...to];
      this.replicas.push({ port, log, flags, process: await this.run('supernode', flags, { log, port }) });
    }
    for (const { log } of this.replicas) await this.until(async () => (await seenBy(log)) >= count - 1);
  }

  /** @throws Error when the replicas have not come to see each other in time. */
  private async until(isSo: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + LIMIT;
    while (!(await isSo())) {
      if (performance.now() > end) throw new Error('the replicas do not see each other');
      await delay(50);
    }
  }

  private async startDaemon(flags: readonly string[]): Promise<void> {
    const [mirror, peers, ops] = [await freePort(), await freePort(), await freePort()];
    const name = `node-${(this.count += 1)}`;
    const own = ['--port', `${mirror}`, '--peer-ip', '127.0.0.1', '--peer-port', `${peers}`];
    const more = ['--ops-listen', `127.0.0.1:${ops}`, '--advertise-ip', '127.0.0.1', '--blob-authorization', 'none'];
    const to = ['--registry', `http://127.0.0.1:${this.options.originPort}`, '--data-dir', join(this.home, name)];
    const nodes = this.replicas.flatMap(({ port }) => ['--node', `127.0.0.1:${port}`]);
    const all = [...own, ...more, ...to, ...nodes, '--min-free', '0', '--drain-timeout', '0s', ...flags];
    const log = this.logOf('node', mirror);
    this.daemons.push({ mirror, process: await this.run('dfdaemon', all, { log, port: mirror }) });
  }

  private logOf(name: string, port: number): string {
    return join(this.options.logs ?? this.home, `${name}-${port}.log`);
  }

  private async run(
    name: string,
    flags: readonly string[],
    options: { readonly log: string; readonly port: number },
  ): Promise<MeasuredProcess> {
    const level = this.options.logs === undefined ? [] : ['--log-level', 'debug'];
    const launcher = join(SERVICES, name, 'bin', `${name}.js`);
    return MeasuredProcess.start([process.execPath, launcher, ...flags, ...level], options);
  }
}

/** How often a replica has come to see another, by its log. */
async function seenBy(log: string): Promise<number> {
  return (await readFile(log, 'utf8')).split('a replica answers').length - 1;
}
