import { reasonOf } from '../files/errno';
import { resolveBelow } from '../files/host-path';
import { criVersion, grpcCall, GrpcError, textField, UNIMPLEMENTED } from '../grpc-call';
import { HostCommands } from '../host-commands';
import { sameFile, startedAt, type ProcessFacts, processesOf } from '../process';
import { Refusal } from '../refusal';
import { restartService, serviceOf } from '../systemd';

const ANSWER_MS = 5_000;
const COMMAND_MS = 60_000;

/** A running containerd; tests put a pretended one behind it. */
export interface Containerd {
  readonly pid: number;
  /** Process and start; another one after a restart. */
  readonly identity: string;
  /** When it was started, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Such as `1.6.20`. */
  readonly version: string;
  /** Whether the file that it reads is this one, resolved. */
  reads(path: string): Promise<boolean>;
  /** Whether its CRI answers, which it does not when the plugin is off or was not loaded. */
  hasCri(): Promise<boolean>;
  /** Whether its CRI runs pods. */
  hasPods(): Promise<boolean>;
  /** Lets it look at a config.toml. @throws Refusal when it would not start with it */
  inspect(candidate: string): Promise<void>;
  /** Makes ready for a restart. @throws Refusal when none can be done from here */
  prepareRestart(): Promise<void>;
  /** Has it restarted. @throws Refusal when it does not come up */
  restart(): Promise<void>;
  /** Looks for it again after a restart. @returns whether another process runs and its CRI answers */
  isBack(): Promise<boolean>;
}

/** Where a containerd is. */
export interface ContainerdPlaces {
  readonly hostRoot: string;
  /** Its configuration file as the node knows it. */
  readonly config: string;
  /** Its API socket, resolved. */
  readonly socket: string;
  readonly proc: string;
}

/** Which services answer; `undefined` for one that is not there. */
async function answer(ask: Promise<string>): Promise<string | undefined> {
  try {
    return await ask;
  } catch (error) {
    if (error instanceof GrpcError && error.status === UNIMPLEMENTED) return undefined;
    throw error;
  }
}

/** The containerd that runs on this node, asked over its socket. */
export class RunningContainerd implements Containerd {
  private restarted: string | undefined;
  private unit: string | undefined;

  private constructor(
    private readonly places: ContainerdPlaces,
    private facts: ProcessFacts,
    readonly startedAt: number,
    readonly version: string,
  ) {}

  /** @throws Refusal when it does not answer */
  static async of(places: ContainerdPlaces, facts: ProcessFacts): Promise<RunningContainerd> {
    const since = await startedAt(places.proc, facts);
    try {
      // VersionResponse { version = 1; revision = 2 }
      const message = await grpcCall(places.socket, '/containerd.services.version.v1.Version/Version', ANSWER_MS);
      return new RunningContainerd(places, facts, since, textField(message, 1).replace(/^v/, ''));
    } catch (error) {
      throw new Refusal(
        `containerd runs (process ${facts.pid}), but cannot be asked at ${places.socket}: ${reasonOf(error)}: name its API socket with --containerd-socket`,
        { cause: error },
      );
    }
  }

  get pid(): number {
    return this.facts.pid;
  }

  get identity(): string {
    return `${this.facts.pid} ${this.facts.startTime}`;
  }

  async reads(path: string): Promise<boolean> {
    return await sameFile(await resolveBelow(`${this.places.proc}/${this.pid}/root`, this.places.config), path);
  }

  async hasCri(): Promise<boolean> {
    return (await this.ask(answer(criVersion(this.places.socket, ANSWER_MS)))) !== undefined;
  }

  async hasPods(): Promise<boolean> {
    // ListPodSandboxResponse { repeated items = 1 }: without one the message is empty.
    const list = grpcCall(this.places.socket, '/runtime.v1.RuntimeService/ListPodSandbox', ANSWER_MS);
    const length = await this.ask(answer(list.then((message) => (message.length === 0 ? '' : 'some'))));
    return length === 'some';
  }

  async inspect(candidate: string): Promise<void> {
    const commands = new HostCommands(this.places.hostRoot);
    const file = commands.onHost(candidate);
    const argv = [`/proc/${this.pid}/exe`, '--config', file, 'config', 'dump'];
    const { ok, said, ran } = await commands.run(argv, COMMAND_MS);
    if (ok) return;
    throw new Refusal(
      ran
        ? `containerd would not start with the new configuration: ${said.replaceAll(file, 'the file')}`
        : `containerd config dump, which has to look at the new configuration, cannot be run on the node: ${said}: in a pod, hostPID: true and privileged: true are needed`,
    );
  }

  async prepareRestart(): Promise<void> {
    this.unit ??= await serviceOf({ proc: this.places.proc, pid: this.pid, name: 'containerd' });
  }

  async restart(): Promise<void> {
    await this.prepareRestart();
    this.restarted = this.identity;
    await restartService(new HostCommands(this.places.hostRoot), this.unit ?? '');
  }

  async isBack(): Promise<boolean> {
    const all = await processesOf(this.places.proc, 'containerd');
    const mine = all.find((facts) => facts.args.join('\0') === this.facts.args.join('\0'));
    if (mine === undefined || `${mine.pid} ${mine.startTime}` === this.restarted) return false;
    this.facts = mine;
    return await this.hasCri();
  }

  private async ask<T>(question: Promise<T>): Promise<T> {
    try {
      return await question;
    } catch (error) {
      throw new Refusal(
        `containerd (process ${this.pid}) cannot be asked at ${this.places.socket}: ${reasonOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }
}
