import { lstat, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '@cdk8s-dragonfly/command';
import { hasCode } from './files/errno';
import { LOCK_SUFFIX, type LockedFolder, withFileLock } from './files/file-lock';
import { type EditRecord, RecordStore } from './files/record';
import { TEMPORARY_SUFFIX } from './files/replace-file';
import { fingerprint, sameContent, takeSnapshot } from './files/snapshot';
import { waitForMirror } from './mirror-ready';
import { Refusal } from './refusal';
import type { Installation, Plan, Runtime } from './runtime';
import { StepTaker } from './step-taker';
import { unifiedDiff } from './unified-diff';

/** What the modes need to know. */
export interface NodeMirrorSettings {
  readonly mirror: string;
  /** How long `apply` waits for the mirror to answer, in milliseconds. */
  readonly waitMs: number;
  /** How long the runtime may take to show a change, in milliseconds. */
  readonly reloadTimeoutMs: number;
}

/** The outside of a {@link NodeMirror}. */
export interface NodeMirrorPorts {
  /** A line for the operator. */
  readonly say: (line: string) => void;
  /** For whoever looks into what happened. */
  readonly log?: Pick<Log, 'info' | 'debug'>;
  /** Ends the waiting for the mirror; what is begun after that is finished. */
  readonly signal?: AbortSignal;
  /** Default: {@link waitForMirror}. */
  readonly waitForMirror?: typeof waitForMirror;
}

interface Look {
  readonly installation: Installation;
  readonly store: RecordStore;
  readonly record: EditRecord | undefined;
  readonly backup: Buffer | undefined;
}

/** What a killed run may leave half-written. */
function temporaries(path: string, store: RecordStore): readonly string[] {
  return [path, store.statePath, store.backupPath].map((file) => file + TEMPORARY_SUFFIX);
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

/** Points a container runtime at a mirror, and back. Every mode may be run again, also after it was killed. */
export class NodeMirror {
  private readonly wait: typeof waitForMirror;

  constructor(
    private readonly runtime: Runtime,
    private readonly settings: NodeMirrorSettings,
    private readonly ports: NodeMirrorPorts,
  ) {
    this.wait = ports.waitForMirror ?? waitForMirror;
  }

  /**
   * Makes the mirror the runtime's first; writes and reloads nothing when it is.
   *
   * @throws Refusal when it cannot; the node is then as before
   */
  async apply(): Promise<void> {
    const first = await this.planApply(await this.look());
    if (first.steps.length === 0) {
      this.sayUnchanged(first);
      return;
    }
    this.ports.log?.info({ mirror: this.settings.mirror, waitMs: this.settings.waitMs }, 'waiting for the mirror');
    await this.wait(this.settings.mirror, this.settings.waitMs, this.ports.signal);
    const { path } = await this.runtime.find();
    await withFileLock(path, this.lockWaitMs, async (folder) => {
      await this.applyLocked(folder);
    });
  }

  /** Says what `apply` would change. @throws Refusal when it would refuse */
  async plan(): Promise<void> {
    const look = await this.look();
    const plan = await this.planApply(look);
    const last = plan.steps.at(-1);
    if (last === undefined) {
      this.sayUnchanged(plan);
      return;
    }
    const before = plan.current.bytes?.toString('utf8');
    const diff = unifiedDiff(plan.title, before, last.content?.toString('utf8'));
    if (diff !== '') this.ports.say(diff);
    if (last.inForce !== undefined) {
      this.ports.say(`then ${look.installation.reloadTitle}; it must show ${JSON.stringify(last.inForce)}`);
    }
  }

  /** @throws Refusal with what is not as `apply` would leave it */
  async check(): Promise<void> {
    const look = await this.look();
    const { installation } = look;
    const plan = await this.planApply(look);
    const last = plan.steps.at(-1);
    if (last === undefined) {
      this.ports.say(`${plan.title}: ${plan.summary}; ${installation.title} shows it`);
      return;
    }
    if (!sameContent(last.content, plan.current.bytes)) {
      throw new Refusal(
        `${plan.title} does not have ${this.settings.mirror} as apply would leave it: run node-mirror plan to see the difference`,
      );
    }
    const { shown } = await installation.verify(last.inForce ?? []);
    throw new Refusal(
      `${plan.title} is as it should be, but ${installation.title} has not taken it: it shows ${shown}; run node-mirror apply`,
    );
  }

  /**
   * Undoes every `apply`: the first bytes when nobody has edited the file since, otherwise only our entry goes.
   *
   * @throws Refusal when it cannot; the node is then as before
   */
  async restore(): Promise<void> {
    const { path } = await this.runtime.find();
    const store = new RecordStore(path);
    const traces = [store.statePath, store.backupPath, path + LOCK_SUFFIX, ...temporaries(path, store)];
    if (!(await Promise.all(traces.map(exists))).includes(true)) {
      this.ports.say(`nothing to restore: node-mirror has no record of a change in ${dirname(path)}`);
      return;
    }
    await withFileLock(path, this.lockWaitMs, async (folder) => {
      await this.restoreLocked(folder);
    });
  }

  /** Long enough for another run to change and roll back. */
  private get lockWaitMs(): number {
    return 3 * this.settings.reloadTimeoutMs + 5_000;
  }

  private async look(): Promise<Look> {
    const installation = await this.runtime.find();
    const store = new RecordStore(installation.path);
    const record = await store.read();
    return { installation, store, record, backup: record === undefined ? undefined : await store.backup(record) };
  }

  private async planApply({ installation, record, backup }: Look): Promise<Plan> {
    return await installation.planApply(record, backup);
  }

  private async applyLocked(folder: LockedFolder): Promise<void> {
    const look = await this.look();
    const { installation, store, record: old } = look;
    const plan = await this.planApply(look);
    if (plan.steps.length === 0) {
      this.sayUnchanged(plan);
      return;
    }
    if (plan.record !== undefined) {
      if (fingerprint(plan.current.bytes) === plan.record.original) await store.keep(plan.current);
      await store.write({ ...plan.record, folderCreated: plan.record.folderCreated || folder.created });
    }
    try {
      await new StepTaker(installation, this.settings.reloadTimeoutMs).take(plan);
    } catch (error) {
      const back = await takeSnapshot(plan.path);
      if (sameContent(back.bytes, plan.current.bytes)) await (old === undefined ? store.clear() : store.write(old));
      throw error;
    }
    this.ports.say(`${plan.title}: ${plan.summary}`);
    if (old === undefined && plan.current.bytes !== undefined && plan.record !== undefined) {
      this.ports.say(`first bytes kept in ${plan.title}.dragonfly-backup`);
    }
    this.ports.say(`${installation.title}: told by ${installation.reloadTitle}; it shows the mirror`);
  }

  private async restoreLocked(folder: LockedFolder): Promise<void> {
    const { installation, store, record, backup } = await this.look();
    if (record === undefined) {
      await this.sweep(installation.path, store);
      this.ports.say(`nothing to restore: node-mirror has no record of a change of ${installation.path}`);
      return;
    }
    const plan = await installation.planRestore(record, backup);
    this.ports.log?.debug({ path: plan.path, steps: plan.steps.length }, plan.summary);
    if (plan.record !== undefined) await store.write(plan.record);
    await new StepTaker(installation, this.settings.reloadTimeoutMs).take(plan);
    await this.sweep(installation.path, store);
    await store.clear();
    if (record.folderCreated) folder.removeIfEmpty();
    this.ports.say(`${plan.title}: ${plan.summary}`);
    if (plan.steps.some((step) => step.inForce !== undefined)) {
      this.ports.say(`${installation.title}: told by ${installation.reloadTitle}; it shows the mirror no more`);
    }
  }

  /** Removes what a killed run may have left: a half-written file, and a backup of what is there anyway. */
  private async sweep(path: string, store: RecordStore): Promise<void> {
    for (const temporary of temporaries(path, store)) await rm(temporary, { force: true });
    const [now, kept] = await Promise.all([takeSnapshot(path), takeSnapshot(store.backupPath)]);
    if (kept.bytes !== undefined && sameContent(now.bytes, kept.bytes)) await rm(store.backupPath, { force: true });
  }

  private sayUnchanged(plan: Plan): void {
    this.ports.say(`${plan.title}: nothing to change; ${plan.summary}`);
  }
}
