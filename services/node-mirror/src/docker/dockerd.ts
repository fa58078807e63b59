import { readFile } from 'node:fs/promises';
import { PATHS } from '@cdk8s-dragonfly/contract';
import { hasCode } from '../files/errno';
import { resolveBelow } from '../files/host-path';
import { Refusal } from '../refusal';
import { engineInfoOf, type EngineInfo } from './engine-api';
import {
  flagValues,
  isProgram,
  processesOf,
  processFacts,
  type ProcessFacts,
  sameFile,
  signalProcess,
} from '../process';
import { HostCommands } from '../host-commands';
import { validateWithDockerd } from './validate';

/** How long dockerd may take to answer one question. */
const ANSWER_MS = 5_000;

/** A running dockerd. The one door between the edits of the file and the engine; tests put a pretended one behind it. */
export interface Dockerd {
  readonly pid: number;
  readonly version: string;
  /** The mirrors that its command line names: with them it refuses the key in the file. */
  readonly flagMirrors: readonly string[];
  /** Whether the file that it reads is this one, resolved. */
  reads(path: string): Promise<boolean>;
  /** The mirrors in force. @throws Refusal when it does not answer */
  mirrors(): Promise<readonly string[]>;
  /** Makes it read its file. @throws Refusal when the process is gone */
  reload(): Promise<void>;
  /** Lets it look at a file, where it can. @throws Refusal when it would not start with it */
  inspect(candidate: string): Promise<void>;
}

/** Where dockerd is to be found; all resolved below the host root. */
export interface DockerdPlaces {
  readonly hostRoot: string;
  readonly pidFile: string;
  readonly socket: string;
  /** Where the process file system is mounted. Default `/proc`. */
  readonly proc?: string;
}

class RunningDockerd implements Dockerd {
  readonly pid: number;
  readonly flagMirrors: readonly string[];

  constructor(
    private readonly places: DockerdPlaces,
    private readonly facts: ProcessFacts,
    readonly version: string,
  ) {
    this.pid = facts.pid;
    this.flagMirrors = flagValues(facts.args, '--registry-mirror');
  }

  async reads(path: string): Promise<boolean> {
    const named = flagValues(this.facts.args, '--config-file').at(-1) ?? PATHS.dockerConfig;
    const itsRoot = `${this.places.proc ?? '/proc'}/${this.pid}/root`;
    return await sameFile(await resolveBelow(itsRoot, named), path);
  }

  async mirrors(): Promise<readonly string[]> {
    return (await engineInfoOf(this.places.socket, ANSWER_MS)).mirrors;
  }

  async reload(): Promise<void> {
    await signalProcess(this.places.proc ?? '/proc', this.facts, 'dockerd');
  }

  async inspect(candidate: string): Promise<void> {
    const major = Number(/^\d+/.exec(this.version)?.[0] ?? '0');
    if (major < 23) return;
    const commands = new HostCommands(this.places.hostRoot);
    await validateWithDockerd(commands, `/proc/${this.pid}/exe`, this.facts.args, candidate);
  }
}

async function readPid(path: string): Promise<number | undefined> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    if (!/^[1-9]\d{0,9}$/.test(text)) throw new Refusal(`${path} is not a pid file: it holds no process number`);
    return Number(text);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** What answers on the socket; `undefined` when nobody listens there. */
async function answering(socket: string): Promise<EngineInfo | undefined> {
  try {
    return await engineInfoOf(socket, ANSWER_MS);
  } catch (error) {
    if (error instanceof Refusal && hasCode(error.cause, 'ENOENT', 'ECONNREFUSED', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/**
 * The dockerd of this node, by its pid file and its socket; `undefined` when none runs.
 *
 * @throws Refusal when only one of both is there, so that it could be asked but not told, or the other way round
 */
export async function findDockerd(places: DockerdPlaces): Promise<Dockerd | undefined> {
  const pid = await readPid(places.pidFile);
  const proc = places.proc ?? '/proc';
  const facts = pid === undefined ? undefined : await processFacts(proc, pid);
  // Without a sign of dockerd its socket is not asked: systemd may listen there, and would start it.
  if (pid === undefined && (await processesOf(proc, 'dockerd')).length === 0) return undefined;
  const info = await answering(places.socket);
  if (facts !== undefined && isProgram(facts, 'dockerd')) {
    if (info !== undefined) return new RunningDockerd(places, facts, info.version);
    throw new Refusal(
      `dockerd runs (process ${facts.pid}), but nobody listens on ${places.socket}: name its API socket with --docker-socket`,
    );
  }
  if (info === undefined) return undefined;
  if (pid === undefined) {
    throw new Refusal(
      `dockerd answers on ${places.socket}, but there is no pid file ${places.pidFile}: name it with --docker-pid-file`,
    );
  }
  const what = facts === undefined ? 'is not visible here' : `is ${facts.args[0] ?? '?'}, no dockerd`;
  throw new Refusal(
    `dockerd answers on ${places.socket}, but process ${pid} of ${places.pidFile} ${what}: in a pod, hostPID: true is needed`,
  );
}
