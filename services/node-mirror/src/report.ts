import type { RuntimeName } from './runtime';

/** What was, or would be, done to a file. */
export interface FileReport {
  /** The file as the operator knows it. */
  readonly file: string;
  readonly outcome: 'unchanged' | 'changed' | 'would-change' | 'restored';
  /** What that is, in words. */
  readonly summary: string;
  /** `plan`: the change as `diff -u` shows it; `''`: only the runtime has to be told. */
  readonly diff?: string;
  /** How the runtime is, or would be, told. Absent: it need not be. */
  readonly reload?: string;
}

/** What was, or would be, done to a runtime, or why not. */
export interface RuntimeReport {
  readonly runtime: RuntimeName;
  readonly version?: string;
  /** `absent`: it is not on this node; `refused`: see `reason`; otherwise the most that happened to its files. */
  readonly outcome: FileReport['outcome'] | 'absent' | 'refused';
  readonly reason?: string;
  /** Why it could not be asked: only its files were looked at, if anything. Absent: it was asked itself. */
  readonly unseen?: string;
  readonly notes?: readonly string[];
  readonly files: readonly FileReport[];
}

/** The outcome of a mode on a node. */
export interface Report {
  readonly mode: string;
  readonly mirror: string;
  /** `refused` when one runtime was, or none was found. */
  readonly outcome: 'done' | 'refused';
  /** Why, when it was not for one runtime alone. */
  readonly reason?: string;
  readonly runtimes: readonly RuntimeReport[];
}

function fileLines(file: FileReport, mode: string): readonly string[] {
  const told = file.reload === undefined ? [] : [file.reload];
  if (file.outcome === 'would-change') {
    const diff = file.diff === undefined || file.diff === '' ? [] : [file.diff];
    return [...diff, ...told.map((how) => `then ${how}`)];
  }
  const what = file.outcome === 'unchanged' && mode !== 'check' ? 'nothing to change; ' : '';
  return [`${file.file}: ${what}${file.summary}`, ...told];
}

/** A report as lines for the operator, refusals aside. */
export function reportLines(report: Report): readonly string[] {
  const isIdle = report.runtimes.every(({ files, outcome }) => files.length === 0 && outcome !== 'refused');
  if (report.mode === 'restore' && isIdle) return ['nothing to restore: node-mirror has no record of a change'];
  return report.runtimes.flatMap((runtime) => [
    ...runtime.files.flatMap((file) => fileLines(file, report.mode)),
    ...(runtime.notes ?? []).map((note) => `${runtime.runtime}: ${note}`),
  ]);
}

/** Why a mode failed, one sentence each; empty when it did not. */
export function refusals(report: Report): readonly string[] {
  const own = report.reason === undefined ? [] : [report.reason];
  return [...own, ...report.runtimes.flatMap(({ outcome, reason }) => (outcome === 'refused' ? (reason ?? []) : []))];
}

/** Kubernetes keeps as many bytes of a termination message. */
const MAX_MESSAGE = 4096;

/** A report as one line of JSON of at most 4096 bytes: diffs are left out, then file lists, then the ends of long reasons. */
export function terminationMessage(report: Report): string {
  const plain = report.runtimes.map((runtime) => ({
    ...runtime,
    files: runtime.files.map(({ file, outcome }) => ({ file, outcome })),
  }));
  const short = plain.map(({ runtime, version, outcome, reason: why }) => ({ runtime, version, outcome, reason: why }));
  const cut = short.map((runtime) => ({
    ...runtime,
    ...(runtime.reason === undefined ? {} : { reason: runtime.reason.slice(0, 500) }),
  }));
  const reason = report.reason === undefined ? {} : { reason: report.reason.slice(0, 500) };
  const forms = [plain, short, cut].map((runtimes) => JSON.stringify({ ...report, runtimes }));
  forms.push(JSON.stringify({ ...report, ...reason, runtimes: cut }));
  return (
    forms.find((form) => Buffer.byteLength(form) <= MAX_MESSAGE) ??
    JSON.stringify({ ...report, ...reason, runtimes: [] })
  );
}
