import { join } from 'node:path';
import { Daemon } from './daemon';
import { run, type RunOptions } from './run';

/** What a host tells its world. */
export interface HostEvents {
  /** A daemon was started. */
  readonly onStart: (daemon: Daemon) => void;
  /** A command runs, until `ended`; it can be killed by `abort`. */
  readonly onRun: (command: RunningCommand) => void;
}

export interface RunningCommand {
  readonly abort: () => void;
  readonly ended: Promise<unknown>;
}

/** A machine of the test: a network namespace with one address, and a folder. */
export class Host {
  constructor(
    readonly name: string,
    /** Its IPv4 address, in the network of the test. */
    readonly ip: string,
    /** Where its daemons keep everything they write. */
    private readonly folder: string,
    private readonly events: HostEvents,
  ) {}

  /** A path in its folder. */
  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Runs a command there to its end; see {@link run}. */
  async run(argv: readonly string[], options: Omit<RunOptions, 'signal'> = {}): Promise<string> {
    const controller = new AbortController();
    const ended = run(this.enter(argv), { ...options, signal: controller.signal });
    this.events.onRun({
      abort: () => {
        controller.abort();
      },
      ended,
    });
    return await ended;
  }

  /** Starts a daemon there; it is stopped with the world. */
  start(name: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Daemon {
    const logFile = this.path(`${name}.log`);
    const daemon = Daemon.start({ name: `${this.name} ${name}`, argv: this.enter(argv), logFile, env });
    this.events.onStart(daemon);
    return daemon;
  }

  private enter(argv: readonly string[]): readonly string[] {
    // nsenter becomes the command, so that the process that was started is the daemon itself.
    return ['nsenter', `--net=/run/netns/${this.name}`, '--', ...argv];
  }
}
