import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Dfget } from './dfget';
import { HttpConnection } from './http-connection';
import { MeasuredSupernode } from './measured-supernode';
import type { Usage } from './measured-supernode';
import { openLoop } from './open-loop';
import { Quantiles } from './quantiles';
import { PIECES, digestOf, seedStore } from './seed-store';

/** Original clients ask at a fixed rate. */
export interface ClassicLoadOptions {
  readonly core: number;
  readonly tasks: number;
  readonly peers: number;
  readonly tasksOfPeer: number;
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly nodeArguments: readonly string[];
}

/** What it came to. Latencies are in ms, from the time at which a request was due to the end of its answer. */
export interface ClassicLoadResult {
  readonly requests: number;
  readonly errors: readonly string[];
  /** Requests a second that were answered. */
  readonly answered: number;
  readonly latencies: Quantiles;
  /** By how much the generator itself was late to begin requests, in ms. */
  readonly lateness: Quantiles;
  /** Files that clients had whole. */
  readonly files: number;
  readonly usage: Usage;
}

/** Dfgets that are started a second before the measurement. */
const STARTS_A_SECOND = 500;

/** Dfgets that ask at once before the measurement, each as soon as it has its answer. */
const AT_ONCE = 64;

const PRELOAD = join(__dirname, 'known-content.js');

/** The dfgets begin, and are spread over their files as in a cluster where they did not all start at once. */
async function spread(dfgets: readonly Dfget[]): Promise<void> {
  const begun: Promise<void>[] = [];
  const failures: unknown[] = [];
  const begin = async (dfget: Dfget | undefined): Promise<void> => dfget?.next();
  await openLoop({
    rate: STARTS_A_SECOND,
    seconds: dfgets.length / STARTS_A_SECOND,
    begin: (number) => begun.push(begin(dfgets[number]).catch((error: unknown) => void failures.push(error))),
  });
  await Promise.all(begun);
  if (failures.length > 0) throw new Error(`${failures.length} dfgets did not begin`, { cause: failures[0] });
  const waiting = [...dfgets.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [number, dfget] = next;
      while (dfget.pieces < number % PIECES) await dfget.next();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Original clients ask a supernode that has all tasks on disk. */
export async function classicLoad(options: ClassicLoadOptions): Promise<ClassicLoadResult> {
  const home = await mkdtemp(join(tmpdir(), 'supernode-load-'));
  const connections: HttpConnection[] = [];
  let supernode: MeasuredSupernode | undefined;
  try {
    await seedStore(home, options.tasks);
    const nodeArguments = ['--require', PRELOAD, ...options.nodeArguments];
    const server = await MeasuredSupernode.start({ home, core: options.core, nodeArguments, origin: '127.0.0.1:9' });
    supernode = server;
    const dfgets = Array.from({ length: options.peers * options.tasksOfPeer }, (_, number) => {
      const connection = new HttpConnection('127.0.0.1', server.port);
      connections.push(connection);
      const peer = Math.floor(number / options.tasksOfPeer);
      const ip = `10.${peer >> 16}.${(peer >> 8) & 255}.${peer & 255}`;
      // Each life another task, all tasks alike.
      const url = (life: number): string =>
        `http://127.0.0.1:9/v2/image/blobs/sha256:${digestOf((number + (life - 1) * 7) % options.tasks)}`;
      return new Dfget(connection, { ip, port: 15_001, number, url });
    });
    await spread(dfgets);
    return await measure(server, dfgets, options);
  } catch (error) {
    throw new Error(`the load test failed; the end of the supernode's log:\n${await logOf(home)}`, { cause: error });
  } finally {
    for (const connection of connections) connection.close();
    await supernode?.stop();
    await rm(home, { recursive: true, force: true });
  }
}

async function logOf(home: string): Promise<string> {
  return (await readFile(join(home, 'supernode.log'), 'utf8')).slice(-2000);
}

async function measure(
  supernode: MeasuredSupernode,
  dfgets: readonly Dfget[],
  { rate, seconds }: ClassicLoadOptions,
): Promise<ClassicLoadResult> {
  const latencies = new Quantiles();
  const lateness = new Quantiles();
  const errors: string[] = [];
  /** The last request of each dfget: its next one begins behind it. */
  const last = dfgets.map(async () => Promise.resolve());
  const before = dfgets.reduce((sum, { finished }) => sum + finished, 0);
  const began = performance.now();
  const usage = supernode.watch();
  await openLoop({
    rate,
    seconds,
    begin: (number, due) => {
      lateness.add(performance.now() - due);
      const which = number % dfgets.length;
      last[which] = (last[which] ?? Promise.resolve())
        .then(async () => dfgets[which]?.next())
        .then(() => latencies.add(performance.now() - due))
        .catch((error: unknown) => void errors.push(String(error)));
    },
  });
  await Promise.all(last);
  const used = usage();
  return {
    requests: Math.round(rate * seconds),
    errors,
    answered: latencies.count / ((performance.now() - began) / 1000),
    latencies,
    lateness,
    files: dfgets.reduce((sum, { finished }) => sum + finished, 0) - before,
    usage: used,
  };
}
