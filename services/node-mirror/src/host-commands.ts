import { execFile } from 'node:child_process';
import { relative } from 'node:path';

/** How a command ended. */
export interface CommandOutcome {
  readonly ok: boolean;
  /** What it wrote, as one line; of a failure without words, why it failed. */
  readonly said: string;
  /** False when it could not even be run: it is not there, or the node's namespaces cannot be entered from here. */
  readonly ran: boolean;
}

/** Runs the node's own programs: here, or from a container by entering the namespaces of the node's first process. */
export class HostCommands {
  /**
   * @param hostRoot the root of the node's file system; with another one than `/` this is a container (hostPID: true)
   * @param nsenter the program that enters namespaces; another one in tests
   */
  constructor(
    private readonly hostRoot: string,
    private readonly nsenter = 'nsenter',
  ) {}

  /** A path below the host root as the node's programs know it. */
  onHost(path: string): string {
    return this.hostRoot === '/' ? path : `/${relative(this.hostRoot, path)}`;
  }

  /** Runs a command to its end; one that takes longer than the limit is killed. */
  async run(argv: readonly string[], limitMs: number): Promise<CommandOutcome> {
    const enter = this.hostRoot === '/' ? [] : [this.nsenter, '-t', '1', '-m', '-u', '-i', '-n', '-p', '--'];
    const [command = '', ...args] = [...enter, ...argv];
    return await new Promise((resolve) => {
      execFile(
        command,
        args,
        { timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 },
        (error, stdout, stderr) => {
          const words = (error === null ? stdout : `${stderr} ${stdout}`).trim().replace(/\s+/g, ' ');
          const entered = typeof error?.code !== 'string' && !stderr.startsWith('nsenter:');
          resolve({ ok: error === null, said: words === '' ? (error?.message ?? '') : words, ran: entered });
        },
      );
    });
  }
}
