import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Daemon } from './daemon';
import { Host, type RunningCommand } from './host';
import { Leftovers } from './leftovers';
import { Network } from './network';
import { UndoStack } from './undo-stack';

/** Everything that a scenario has started, so that it can be explained and stopped. */
export class World {
  private readonly daemons: Daemon[] = [];
  private readonly commands = new Set<RunningCommand>();

  private constructor(
    readonly network: Network,
    private readonly folder: string,
    private readonly undo: UndoStack,
    private readonly leftovers: Leftovers,
  ) {}

  /** @throws Error outside the namespaces that `npm run test:e2e` makes */
  static async create(): Promise<World> {
    const scratch = process.env['E2E_SCRATCH'];
    if (scratch === undefined) throw new Error('These tests run in namespaces of their own: use npm run test:e2e.');
    const leftovers = await Leftovers.remember();
    const undo = new UndoStack();
    const folder = mkdtempSync(join(scratch, 'world-'));
    undo.push(`remove ${folder}`, () => rm(folder, { recursive: true }));
    return new World(await Network.create(undo), folder, undo, leftovers);
  }

  /** Adds a machine. */
  async host(name: string): Promise<Host> {
    const ip = await this.network.attach(name);
    return new Host(name, ip, this.newFolder(name), {
      onStart: (daemon) => {
        this.daemons.push(daemon);
        this.undo.push(`stop ${daemon.name}`, () => stopOrderly(daemon));
      },
      onRun: (command) => {
        const forget = (): boolean => this.commands.delete(command);
        this.commands.add(command);
        command.ended.then(forget, forget);
      },
    });
  }

  /** Keeps a part of the test's own process, to be stopped with the world. */
  keep<Part extends { stop(): Promise<void> }>(what: string, part: Part): Part {
    this.undo.push(`stop ${what}`, () => part.stop());
    return part;
  }

  /** Makes a folder that lives as long as the world. */
  newFolder(name: string): string {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    return folder;
  }

  /** Runs one part of a scenario; when it fails, the last words of every daemon are printed. */
  async explain<T>(part: () => Promise<T>): Promise<T> {
    try {
      return await part();
    } catch (error) {
      process.stderr.write(`${this.daemons.map((daemon) => daemon.tail()).join('\n')}\n`);
      throw error;
    }
  }

  /**
   * Stops everything in reverse order and removes it.
   *
   * @throws Error that lists what could not be undone and what is left after all
   */
  async stop(): Promise<void> {
    // After a failure a command may still run whose failure nobody waits for.
    const commands = [...this.commands];
    commands.forEach(({ abort }) => abort());
    await Promise.allSettled(commands.map(({ ended }) => ended));
    const problems = await this.undo.unwind();
    const left = await this.leftovers.list();
    problems.push(...left.map((thing) => `still there: ${thing}`));
    if (problems.length > 0) throw new Error(['Not everything was cleaned up.', ...problems].join('\n'));
  }
}

async function stopOrderly(daemon: Daemon): Promise<void> {
  if (!daemon.running) return;
  const ending = await daemon.stop();
  if (ending === 'SIGKILL') throw new Error('had to be killed, SIGTERM did not end it in time');
}
