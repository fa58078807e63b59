import type { ClassicLoadOptions, ClassicLoadResult } from './classic-load';
import type { Usage } from './measured-supernode';
import type { NativeLoadOptions, NativeLoadResult, NativePhase } from './native-load';

/** What is told of a load, and how many bars it missed. */
export interface Report {
  readonly text: string;
  readonly missed: number;
}

/** Growth of memory up to this part is the heap's own breathing. */
const GROWTH = 0.1;

/** The bars for original clients. */
export function classicReport(options: ClassicLoadOptions, result: ClassicLoadResult): Report {
  const { requests, errors, answered, latencies, lateness, files, usage } = result;
  const most = Math.max(...usage.memory.map(({ mib }) => mib));
  const growth = growthOf(usage);
  const p99 = latencies.at(0.99);
  const bars = [
    bar('every request is answered, and rightly', errors.length === 0, `${errors.length} errors`),
    bar(`${options.rate} requests a second are held`, answered >= options.rate * 0.99, answered.toFixed(0)),
    bar('p99 under 50 ms', p99 < 50, `${p99.toFixed(1)} ms`),
    bar('memory under 256 MiB', most < 256, `${most.toFixed(0)} MiB`),
    bar('memory does not grow', growth < GROWTH, `${(growth * 100).toFixed(1)} % from the second third to the last`),
  ];
  const clients = `${options.peers} original peers in ${options.tasksOfPeer} of ${options.tasks} tasks each`;
  const lines = [
    `${clients}, ${options.rate} requests a second for ${options.seconds} s (${requests} in all)`,
    `  latency       p50 ${latencies.at(0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, p99.9 ${latencies.at(0.999).toFixed(1)} ms, max ${latencies.at(1).toFixed(1)} ms`,
    `  the generator began requests late by p99 ${lateness.at(0.99).toFixed(1)} ms, max ${lateness.at(1).toFixed(1)} ms`,
    `  files whole   ${files}`,
    ...usageLines(usage),
    ...errors.slice(0, 3).map((error) => `  error: ${error.slice(0, 300)}`),
  ];
  return reportOf(lines, bars);
}

/** The bars for daemons of ours. */
export function nativeReport(options: NativeLoadOptions, result: NativeLoadResult): Report {
  const { daemons, tasks, tasksOfDaemon, joinRate, taskRate } = options;
  const { joining, pulling, latencies, answers, deferred, looks, pings, errors } = result;
  const rate = Math.max(...[joining, pulling].map(({ requests, usage }) => requests / daemons / usage.seconds));
  const unanswered = daemons * tasksOfDaemon - latencies.count;
  const latest = pulling.silence.at(1);
  const bars = [
    bar('every registration is answered, and taken in', unanswered === 0, `${unanswered} are not`),
    bar('every request is answered, every session stays', errors.length === 0, `${errors.length} errors`),
    bar('every daemon hears of new blocks while pulling', pulling.news.at(0) > 0, `${pulling.news.at(0)} at least`),
    bar('under 2 control requests a second and daemon', rate < 2, rate.toFixed(2)),
    bar('no session is silent for 1 s while pulling', latest < 1000, `${latest.toFixed(0)} ms`),
  ];
  const mib = (taskRate / 2 ** 20).toFixed(1);
  const lines = [
    `${daemons} daemons in ${tasksOfDaemon} of ${tasks} tasks each; each task arrives at ${mib} MiB a second`,
    ` joining, ${joinRate} registrations a second (${latencies.count}): p50 ${latencies.at(0.5).toFixed(1)} ms, p99 ${latencies.at(0.99).toFixed(1)} ms, max ${latencies.at(1).toFixed(1)} ms`,
    `  answers       p50 ${answers.at(0.5).toFixed(1)} ms, p99 ${answers.at(0.99).toFixed(1)} ms, max ${answers.at(1).toFixed(1)} ms; ${deferred} times one was told to come later; ${looks} looks whether it lives, ${pings} pings`,
    ...phaseLines(joining, daemons),
    ' pulling',
    ...phaseLines(pulling, daemons),
    ...errors.slice(0, 3).map((error) => `  error: ${error.slice(0, 300)}`),
  ];
  return reportOf(lines, bars);
}

function phaseLines({ usage, requests, lag, bytes, news, silence }: NativePhase, daemons: number): string[] {
  const { seconds } = usage;
  const [half = NaN, most = NaN, max = NaN] = lag;
  return [
    `  requests      ${requests} in ${seconds.toFixed(1)} s: ${(requests / daemons / seconds).toFixed(3)} a second and daemon`,
    `  session       p50 ${(bytes.at(0.5) / 1024).toFixed(1)} KiB a daemon (${(bytes.at(0.5) / 1024 / seconds).toFixed(2)} KiB/s), max ${(bytes.at(1) / 1024).toFixed(1)} KiB; news p50 ${news.at(0.5)}`,
    `  longest silence of a session: p50 ${silence.at(0.5).toFixed(0)} ms, p99 ${silence.at(0.99).toFixed(0)} ms, max ${silence.at(1).toFixed(0)} ms`,
    `  event loop    late by p50 ${half.toFixed(1)} ms, p99 ${most.toFixed(1)} ms, max ${max.toFixed(1)} ms`,
    ...usageLines(usage),
  ];
}

function usageLines(usage: Usage): string[] {
  const memory = usage.memory.map(({ mib }) => mib);
  const [first = NaN] = memory;
  const [last = NaN] = memory.slice(-1);
  return [
    `  supernode     CPU ${usage.cpu.toFixed(1)} s (${((100 * usage.cpu) / usage.seconds).toFixed(0)} % of a core), memory ${first.toFixed(0)} MiB at the start, ${last.toFixed(0)} at the end, ${Math.max(...memory).toFixed(0)} at most`,
  ];
}

/** By what part memory was larger in the last third than in the second. */
function growthOf({ memory }: Usage): number {
  const third = Math.floor(memory.length / 3);
  const mean = (from: number, to: number): number => {
    const part = memory.slice(from, to);
    return part.reduce((sum, { mib }) => sum + mib, 0) / part.length;
  };
  return mean(2 * third, memory.length) / mean(third, 2 * third) - 1;
}

function bar(what: string, held: boolean, value: string): { readonly line: string; readonly held: boolean } {
  return { held, line: `  ${held ? 'held  ' : 'MISSED'} ${what}: ${value}` };
}

function reportOf(
  lines: readonly string[],
  bars: readonly { readonly line: string; readonly held: boolean }[],
): Report {
  const text = [...lines, ...bars.map(({ line }) => line), ''].map((line) => `${line}\n`).join('');
  return { text, missed: bars.filter(({ held }) => !held).length };
}
