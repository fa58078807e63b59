import { readFile } from 'node:fs/promises';
import { PATHS } from '@cdk8s-dragonfly/contract';
import { hasCode, readRefusal } from '../files/errno';
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
import { restartService, serviceOf } from '../systemd';
import { validateWithDockerd } from './validate';

/** How long dockerd may take to answer one question: on a node with all cores busy and many containers, more than 5 s. */
const ANSWER_MS = 15_000;

/** A running dockerd. The one door between the edits of the file and the engine; tests put a pretended one behind it. */
export interface Dockerd {
  readonly pid: number;
  readonly version: string;
  /** What its command line gives to these flags: what stands there it refuses in the file. */
  valuesOf(...flags: readonly string[]): readonly string[];
  /** The proxies that its environment names. */
  environmentProxies(): Promise<readonly string[]>;
  /** Whether the file that it reads is this one, resolved. */
  reads(path: string): Promise<boolean>;
  /** What is in force. @throws Refusal when it does not answer */
  info(): Promise<EngineInfo>;
  /** Makes it read its file. @throws Refusal when the process is gone */
  reload(): Promise<void>;
  /** Makes ready for a restart. @throws Refusal when none can be done from here */
  prepareRestart(): Promise<void>;
  /** Has it restarted. @throws Refusal when it does not come up */
  restart(): Promise<void>;
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
  private readonly proc: string;
  private unit: string | undefined;

  constructor(
    private readonly places: DockerdPlaces,
    private facts: ProcessFacts,
    readonly version: string,
  ) {
    this.proc = places.proc ?? '/proc';
  }

  get pid(): number {
    return this.facts.pid;
  }

  valuesOf(...flags: readonly string[]): readonly string[] {
    return flagValues(this.facts.args, ...flags);
  }

  async environmentProxies(): Promise<readonly string[]> {
    const environment = await readFile(`${this.proc}/${this.pid}/environ`, 'utf8').catch((error: unknown) => {
      if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return '';
      throw error;
    });
    return environment.split('\0').flatMap((entry) => /^https?_proxy=(.+)$/is.exec(entry)?.[1] ?? []);
  }

  async reads(path: string): Promise<boolean> {
    const named = flagValues(this.facts.args, '--config-file').at(-1) ?? PATHS.dockerConfig;
    const itsRoot = `${this.proc}/${this.pid}/root`;
    return await sameFile(await resolveBelow(itsRoot, named), path);
  }

  async info(): Promise<EngineInfo> {
    return await engineInfoOf(this.places.socket, ANSWER_MS);
  }

  async reload(): Promise<void> {
    await signalProcess(this.proc, this.facts, 'dockerd');
  }

  async prepareRestart(): Promise<void> {
    // While it runs: on the way back from a start that failed there is no process to look at.
    this.unit ??= await serviceOf({ proc: this.proc, pid: this.pid, name: 'dockerd' });
  }

  async restart(): Promise<void> {
    await this.prepareRestart();
    await restartService(new HostCommands(this.places.hostRoot), this.unit ?? '');
    const pid = await readPid(this.places.pidFile);
    this.facts = (pid === undefined ? undefined : await processFacts(this.proc, pid)) ?? this.facts;
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
    throw readRefusal(path, error);
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
