import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import {
  NATIVE_VERSION,
  formatRegistryRequest,
  nativeRefusal,
  parseRegistryAnswer,
  taskIdOf,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { PulseSockets } from '../../services/engine/src/links/pulse';
import { DaemonSession } from './daemon-session';
import type { DaemonName } from './daemon-session';
import { MeasuredSupernode } from './measured-supernode';
import type { Usage } from './measured-supernode';
import { openLoop } from './open-loop';
import { PatientDaemon } from './patient-daemon';
import { Quantiles } from './quantiles';
import { SlowOrigin } from './slow-origin';

/** Daemons join the swarms of blobs that arrive slowly. */
export interface NativeLoadOptions {
  readonly core: number;
  readonly daemons: number;
  readonly tasks: number;
  /** In how many of them each daemon is. */
  readonly tasksOfDaemon: number;
  /** Registrations a second, while daemons join. */
  readonly joinRate: number;
  /** Bytes a second of each task. */
  readonly taskRate: number;
  /** How long all pull after the last has joined. */
  readonly seconds: number;
  readonly nodeArguments: readonly string[];
}

/** A part of the test: while daemons join, and after it. */
export interface NativePhase {
  readonly usage: Usage;
  /** Requests that the supernode counted. */
  readonly requests: number;
  /** By how much its timers were late, in ms: quantiles 0.5, 0.99 and 1. */
  readonly lag: readonly number[];
  /** Bytes that a daemon had over its session. */
  readonly bytes: Quantiles;
  /** News of blocks that a daemon had. */
  readonly news: Quantiles;
  /** The longest silence of each session, in ms. */
  readonly silence: Quantiles;
}

export interface NativeLoadResult {
  readonly joining: NativePhase;
  readonly pulling: NativePhase;
  /** Of registrations, in ms, from the time at which they were due, those that were told to come later included. */
  readonly latencies: Quantiles;
  /** Of the answers to them, in ms, from the time at which they were sent. */
  readonly answers: Quantiles;
  /** How often one was told to come later. */
  readonly deferred: number;
  /** How often those that waited looked whether the supernode lives, and how often they pinged it. */
  readonly looks: number;
  readonly pings: number;
  readonly errors: readonly string[];
}

/** Registrations are taken in faster than this, a second: tasks last until all are, and beyond. */
const TAKEN_IN = 300;

/** Sessions that are opened a second. */
const SESSIONS_A_SECOND = 1000;

/** Many daemons of ours at one supernode. */
export async function nativeLoad(options: NativeLoadOptions): Promise<NativeLoadResult> {
  const { daemons, tasks, tasksOfDaemon, joinRate, taskRate, seconds, core, nodeArguments } = options;
  const home = await mkdtemp(join(tmpdir(), 'supernode-load-'));
  const most = (daemons * tasksOfDaemon) / Math.min(joinRate, TAKEN_IN) + 2 * seconds + 60;
  const origin = await SlowOrigin.start(taskRate, Math.ceil(taskRate * most));
  const opened: { close(): void }[] = [];
  let supernode: MeasuredSupernode | undefined;
  try {
    const server = await MeasuredSupernode.start({ home, core, nodeArguments, origin: `127.0.0.1:${origin.port}` });
    supernode = server;
    const names = Array.from({ length: daemons }, (_, number) => nameOf(number));
    const sessions: DaemonSession[] = [];
    const open = (name: DaemonName | undefined): void => {
      if (name === undefined) return;
      const session = new DaemonSession(server.port, name);
      sessions.push(session);
      opened.push(session);
    };
    const errors: string[] = [];
    const failed = (error: unknown): void => void errors.push(String(error));
    const pulses = new PulseSockets();
    const registering = names.map(() => new PatientDaemon(server.port, pulses, failed));
    opened.push(...registering, { close: () => pulses.stop() });
    await openLoop({ rate: SESSIONS_A_SECOND, seconds: daemons / SESSIONS_A_SECOND, begin: (n) => open(names[n]) });
    await delay(1000);

    const [latencies, answers] = [new Quantiles(), new Quantiles()];
    let deferred = 0;
    const joining = await phase(server, sessions, async () => {
      const all: Promise<void>[] = [];
      const register = async (number: number, due: number): Promise<void> => {
        const daemon = number % daemons;
        const name = names[daemon] ?? nameOf(daemon);
        const task = (daemon + Math.floor(number / daemons)) % tasks;
        const url = `http://127.0.0.1:${origin.port}/layer-${task}`;
        for (;;) {
          let sent = 0;
          const answer = await registering[daemon]?.register(registration(name, url), () => (sent = performance.now()));
          answers.add(performance.now() - sent);
          const parsed = parseRegistryAnswer(answer?.status ?? 0, answer?.body ?? '');
          if (parsed.kind === 'registered') {
            latencies.add(performance.now() - due);
            return;
          }
          const told = nativeRefusal.safeParse(parsed.kind === 'refused' ? parsed.native : undefined);
          if (!told.success) throw new Error(`a registration was answered with ${answer?.status} ${answer?.body}`);
          deferred += 1;
          await delay(told.data.later);
        }
      };
      const begin = (number: number, due: number): void => {
        all.push(register(number, due).catch(failed));
      };
      await openLoop({ rate: joinRate, seconds: (daemons * tasksOfDaemon) / joinRate, begin });
      await Promise.all(all);
    });
    const pulling = await phase(server, sessions, async () => delay(seconds * 1000));
    for (const { ended } of sessions) if (ended !== undefined) errors.push(`a session ended: ${ended}`);
    const looks = registering.reduce((sum, daemon) => sum + daemon.looks, 0);
    const pings = registering.reduce((sum, daemon) => sum + daemon.pings, 0);
    return { joining, pulling, latencies, answers, deferred, looks, pings, errors };
  } finally {
    for (const connection of opened) connection.close();
    await supernode?.stop();
    await origin.stop();
    await rm(home, { recursive: true, force: true });
  }
}

async function phase(
  supernode: MeasuredSupernode,
  sessions: readonly DaemonSession[],
  work: () => Promise<void>,
): Promise<NativePhase> {
  const [before] = [await requestsOf(supernode), await supernode.metric('dragonfly_supernode_event_loop_lag_seconds')];
  for (const session of sessions) session.reset();
  const watch = supernode.watch();
  await work();
  const usage = watch();
  const [bytes, news, silence] = [new Quantiles(), new Quantiles(), new Quantiles()];
  for (const session of sessions) {
    bytes.add(session.bytes);
    news.add(session.news);
    silence.add(session.longestSilence);
  }
  const lag = await supernode.metric('dragonfly_supernode_event_loop_lag_seconds');
  const requests = (await requestsOf(supernode)) - before;
  return { usage, requests, lag: [...lag.values()].map((value) => value * 1000), bytes, news, silence };
}

/** Requests to the control API but those of this test for the metrics. */
async function requestsOf(supernode: MeasuredSupernode): Promise<number> {
  const counts = await supernode.metric('dragonfly_supernode_http_requests_total');
  return [...counts].reduce((sum, [labels, count]) => (labels.includes('/metrics') ? sum : sum + count), 0);
}

function nameOf(number: number): DaemonName {
  const ip = `10.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  return { cid: `${ip}-${1000 + number}-df-daemon`, ip, port: 15_001 };
}

function registration({ cid, ip, port }: DaemonName, url: string): string {
  const blob: BlobId = `task:${taskIdOf({ taskUrl: url })}`;
  return formatRegistryRequest({
    rawUrl: url,
    taskUrl: url,
    cid,
    ip,
    port,
    path: '/peer/file/none',
    headers: [],
    dfdaemon: true,
    native: { versions: [NATIVE_VERSION], blob, waits: true },
  });
}
