import { lstat, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './files/errno';
import { BROKEN_LOCK_SUFFIX, LOCK_SUFFIX, type LockedFolder, withFileLock } from './files/file-lock';
import { removeEmptyFolders } from './files/folders';
import { type EditRecord, RecordStore } from './files/record';
import { TEMPORARY_SUFFIX } from './files/replace-file';
import { fingerprint, sameContent, type Snapshot, takeSnapshot } from './files/snapshot';
import type { FileReport } from './report';
import { Refusal } from './refusal';
import type { Plan, Step, Target } from './runtime';
import { StepTaker } from './step-taker';
import { unifiedDiff } from './unified-diff';

/** A plan, and what the files said when it was made. */
export interface Look {
  readonly plan: Plan;
  readonly record: EditRecord | undefined;
  readonly backup: Buffer | undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** The last step of which the runtime is told. */
function lastTold({ steps }: Plan): Step | undefined {
  return steps.filter((step) => step.inForce !== undefined).at(-1);
}

/** Every change of one file: looked at, made, taken back. Each may be done again, also after it was killed. */
export class FileChange {
  private readonly store: RecordStore;

  /** @param reloadTimeoutMs how long the runtime may take to show a change */
  constructor(
    readonly target: Target,
    private readonly reloadTimeoutMs: number,
  ) {
    this.store = new RecordStore(target.anchor);
  }

  /** What `apply` would do. @throws Refusal when it would refuse */
  async look(): Promise<Look> {
    const record = await this.store.read();
    const backup = record === undefined ? undefined : await this.store.backup(record);
    return { plan: await this.target.planApply(record, backup), record, backup };
  }

  /** Whether there is something to write, be it only the record. */
  static isDone({ plan, record }: Look): boolean {
    return (
      plan.steps.length === 0 && (plan.record === undefined || JSON.stringify(plan.record) === JSON.stringify(record))
    );
  }

  /** What a plan would change, as a report. */
  preview({ plan }: Look): FileReport {
    const { title: file } = this.target;
    const last = plan.steps.at(-1);
    if (last === undefined) return { file, outcome: 'unchanged', summary: plan.summary };
    const text = (bytes: Buffer | undefined): string | undefined => bytes?.toString('utf8');
    const told = lastTold(plan);
    return {
      file,
      outcome: 'would-change',
      summary: plan.summary,
      diff: unifiedDiff(file, text(plan.current.bytes), text(last.content)),
      ...(told?.inForce === undefined
        ? {}
        : { reload: `${this.target.reloadTitle(told)}; it must show ${JSON.stringify(told.inForce)}` }),
    };
  }

  /** Why the file is not as `apply` would leave it; `undefined` when it is. */
  async fault({ plan }: Look, mirror: string): Promise<string | undefined> {
    const { title, runtimeTitle } = this.target;
    const last = plan.steps.at(-1);
    if (last === undefined) return undefined;
    if (!sameContent(last.content, plan.current.bytes)) {
      return `${title} does not have ${mirror} as apply would leave it: run node-mirror plan to see the difference`;
    }
    const { shown } = await this.target.verify(last.inForce ?? []);
    return `${title} is as it should be, but ${runtimeTitle} has not taken it: it shows ${shown}; run node-mirror apply`;
  }

  /**
   * Does what `look` would say now.
   *
   * @returns the report, and how to take it back
   * @throws Refusal when it cannot; the file is then as before
   */
  async apply(): Promise<{ readonly report: FileReport; readonly undo: () => Promise<void> }> {
    return await withFileLock(this.target.anchor, this.lockWaitMs, async (folder) => {
      const look = await this.look();
      const report = await this.applyLocked(look, folder);
      return { report, undo: async () => (report.outcome === 'changed' ? this.undo(look) : undefined) };
    });
  }

  private async applyLocked(look: Look, folder: LockedFolder): Promise<FileReport> {
    const { plan, record: old } = look;
    const { target, store } = this;
    if (plan.record !== undefined) await this.remember(look, plan.record, folder.created);
    const file = target.title;
    if (plan.steps.length === 0) return { file, outcome: 'unchanged', summary: plan.summary };
    try {
      await new StepTaker(target, this.reloadTimeoutMs).take(plan, target.inspect.bind(target));
    } catch (error) {
      const back = await takeSnapshot(target.path);
      if (sameContent(back.bytes, plan.current.bytes)) await this.forget(look);
      throw error;
    }
    const told = lastTold(plan);
    if (told !== undefined && plan.record !== undefined && target.listener !== undefined) {
      const now = await store.read();
      if (now !== undefined) await store.write({ ...now, told: target.listener });
    }
    const kept = old === undefined && plan.current.bytes !== undefined && plan.record !== undefined;
    return {
      file,
      outcome: 'changed',
      summary: `${plan.summary}${kept ? `; first bytes kept in ${store.backupPath}` : ''}`,
      ...(told === undefined
        ? {}
        : { reload: `${target.runtimeTitle}: told by ${target.reloadTitle(told)}; it shows the mirror` }),
    };
  }

  /** Writes backup and record, in this order: a backup that no record tells of is found by its hash. */
  private async remember({ plan, record: old }: Look, record: EditRecord, foldersCreated: number): Promise<void> {
    const { base, current } = plan;
    if (record.existed && fingerprint(base) === record.original) {
      await this.store.keep(base, this.target.path, current.ownership, old !== undefined);
    }
    await this.store.write({ ...record, foldersCreated: Math.max(record.foldersCreated, foldersCreated) });
  }

  /** Record and backup as they were before a change that was taken back. */
  private async forget({ record, backup, plan }: Look): Promise<void> {
    if (record === undefined) {
      await this.removeOwnFolder(plan.record);
      await this.store.clear();
      return;
    }
    if (backup !== undefined) await this.store.keep(backup, this.target.path, plan.current.ownership, true);
    await this.store.write(record);
  }

  /** Takes back what an `apply` of this run has changed, because another file of the runtime failed. */
  private async undo(look: Look): Promise<void> {
    await withFileLock(this.target.anchor, this.lockWaitMs, async () => {
      const { current, steps } = look.plan;
      const now = await takeSnapshot(this.target.path);
      if (!sameContent(now.bytes, steps.at(-1)?.content)) {
        throw new Refusal(`${this.target.title} was changed by someone else in the meantime`);
      }
      await new StepTaker(this.target, this.reloadTimeoutMs).take(await this.target.planRollback(current.bytes));
      await this.forget(look);
      await this.sweep();
    });
  }

  /** Whether there is anything that `restore` would look at. */
  async hasTraces(): Promise<boolean> {
    const { statePath, backupPath } = this.store;
    const traces = [statePath, backupPath, this.target.anchor + LOCK_SUFFIX, ...this.temporaries()];
    return (await Promise.all(traces.map(exists))).includes(true);
  }

  /**
   * Undoes every `apply`: the first bytes when nobody has edited the file since, otherwise only our entry goes.
   *
   * @returns `undefined` when there was nothing to undo
   * @throws Refusal when it cannot; the file is then as before
   */
  async restore(): Promise<FileReport | undefined> {
    if (!(await this.hasTraces())) return undefined;
    return await withFileLock(this.target.anchor, this.lockWaitMs, async (folder) => this.restoreLocked(folder));
  }

  private async restoreLocked(folder: LockedFolder): Promise<FileReport | undefined> {
    const { store, target } = this;
    const record = await store.read();
    if (record === undefined) {
      await this.sweep();
      return undefined;
    }
    const plan = await target.planRestore(record, await store.backup(record));
    if (plan.record !== undefined) await store.write(plan.record);
    await new StepTaker(target, this.reloadTimeoutMs).take(plan);
    await this.sweep();
    await this.removeOwnFolder(record);
    await store.clear();
    folder.removeIfEmpty(record.foldersCreated);
    const told = lastTold(plan);
    return {
      file: target.title,
      outcome: 'restored',
      summary: plan.summary,
      ...(told === undefined
        ? {}
        : { reload: `${target.runtimeTitle}: told by ${target.reloadTitle(told)}; it shows the mirror no more` }),
    };
  }

  /** Removes what a killed run may have left: a half-written file, and a backup of what is there anyway. */
  private async sweep(): Promise<void> {
    const { store, target } = this;
    for (const temporary of this.temporaries()) await rm(temporary, { force: true });
    const [now, kept]: Snapshot[] = await Promise.all([takeSnapshot(target.path), takeSnapshot(store.backupPath)]);
    if (kept?.bytes !== undefined && sameContent(now?.bytes, kept.bytes)) await rm(store.backupPath, { force: true });
  }

  private async removeOwnFolder(record: EditRecord | undefined): Promise<void> {
    if (record?.ownFolder === true) await removeEmptyFolders(dirname(this.target.path), 1);
  }

  private temporaries(): readonly string[] {
    const { store, target } = this;
    const halves = [target.path, store.statePath, store.backupPath].map((file) => file + TEMPORARY_SUFFIX);
    return [...halves, target.anchor + BROKEN_LOCK_SUFFIX];
  }

  /** Long enough for another run to ask, change and roll back. */
  private get lockWaitMs(): number {
    return 3 * this.reloadTimeoutMs + 30_000;
  }
}

/** The changes to files that are done are undone, last first; then the reason is thrown. */
export async function undoAll(undos: readonly (() => Promise<void>)[], cause: Refusal): Promise<never> {
  for (const undo of [...undos].reverse()) {
    try {
      await undo();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal(
        `${cause.message}; and what was done before could not be taken back: ${error.message}; run node-mirror restore`,
        {
          cause: error,
        },
      );
    }
  }
  throw cause;
}
