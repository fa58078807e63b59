import { hasCode, reasonOf } from '../files/errno';
import { criVersion, GrpcError } from '../grpc-call';
import { type ProcessFacts, processesOf, processFacts, signalProcess, startedAt } from '../process';
import { Refusal } from '../refusal';

const ANSWER_MS = 5_000;
const NAME = 'crio';

/** A running CRI-O; tests put a pretended one behind it. */
export interface Crio {
  readonly pid: number;
  /** Process and start. */
  readonly identity: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly version?: string;
  /** Makes it read its files. @throws Refusal when the process is gone */
  reload(): Promise<void>;
  /** Whether it is still the same process. */
  runs(): Promise<boolean>;
}

class RunningCrio implements Crio {
  readonly pid: number;
  readonly identity: string;

  constructor(
    private readonly proc: string,
    private readonly facts: ProcessFacts,
    readonly startedAt: number,
    readonly version: string,
  ) {
    this.pid = facts.pid;
    this.identity = `${facts.pid} ${facts.startTime}`;
  }

  async reload(): Promise<void> {
    await signalProcess(this.proc, this.facts, 'CRI-O');
  }

  async runs(): Promise<boolean> {
    return (await processFacts(this.proc, this.pid))?.startTime === this.facts.startTime;
  }
}

/** Its version, by its socket; `''` when nobody answers there, which does not keep it from reading its files. */
async function versionAt(socket: string): Promise<string> {
  try {
    return await criVersion(socket, ANSWER_MS);
  } catch (error) {
    if (error instanceof GrpcError || hasCode(error, 'ENOENT', 'ECONNREFUSED', 'ENOTDIR')) return '';
    throw new Refusal(`CRI-O cannot be asked at ${socket}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * The CRI-O of this node; `undefined` when none runs.
 *
 * @param socket where its API is, resolved
 * @throws Refusal when more than one runs, or it does not answer
 */
export async function findCrio(socket: string, proc = '/proc'): Promise<Crio | undefined> {
  const [first, ...more] = await processesOf(proc, NAME);
  if (first === undefined) return undefined;
  if (more.length > 0) {
    const pids = [first, ...more].map(({ pid }) => pid);
    throw new Refusal(
      `more than one CRI-O runs here (processes ${pids.join(', ')}): node-mirror cannot tell which is the node's`,
    );
  }
  return new RunningCrio(proc, first, await startedAt(proc, first), await versionAt(socket));
}
