import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeRefusal } from './files/errno';
import { createFolders } from './files/folders';
import { removeFile, replaceFile } from './files/replace-file';
import { sameContent, type Snapshot, takeSnapshot } from './files/snapshot';
import { Refusal } from './refusal';
import type { Plan, Step, Target, Verdict } from './runtime';

const POLL_MS = 100;

/** Throws to refuse a file. */
type Inspect = (candidate: string) => Promise<void>;

/** Asks the runtime until it shows these mirrors, or the time is over. */
async function awaitTaken(target: Target, wanted: readonly string[], timeoutMs: number): Promise<Verdict> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const verdict = await target.verify(wanted).catch((error: unknown): Verdict => {
      if (error instanceof Refusal) return { taken: false, shown: error.message };
      throw error;
    });
    if (verdict.taken || performance.now() > deadline) return verdict;
    await pause(POLL_MS);
  }
}

/** Takes the steps of a plan, and the way back when one fails. The caller holds the lock of the file. */
export class StepTaker {
  constructor(
    private readonly target: Target,
    private readonly reloadTimeoutMs: number,
  ) {}

  /**
   * @param inspect a look at each complete new file before it takes its place. Absent on the way back: bytes that were there
   * before are given back whatever the runtime thinks of them
   * @throws Refusal with the reason, after everything was put back
   */
  async take(plan: Plan, inspect?: Inspect): Promise<void> {
    let current = plan.current;
    let touched = false;
    try {
      for (const step of plan.steps) {
        if (!sameContent(current.bytes, step.content)) {
          await this.write(current, step, inspect);
          touched = true;
          current = await takeSnapshot(this.target.path);
        }
        if (step.inForce !== undefined) {
          touched = true;
          await this.reload(step, step.inForce);
        }
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!touched) throw error;
      await this.putBack(plan, error);
      throw new Refusal(`${error.message}; ${this.target.title} was put back as it was`, { cause: error });
    }
  }

  private async write(current: Snapshot, step: Step, inspect?: Inspect): Promise<void> {
    const { path } = this.target;
    if (step.content === undefined) {
      if (current.bytes !== undefined) await removeFile(path, current.bytes);
      return;
    }
    await createFolders(dirname(path)).catch((error: unknown) => {
      throw writeRefusal(dirname(path), error);
    });
    await replaceFile(path, step.content, {
      expected: current.bytes ?? 'missing',
      ...(inspect === undefined ? {} : { inspect }),
      ...(current.ownership === undefined ? {} : { ownership: current.ownership }),
    });
  }

  private async reload(step: Step, wanted: readonly string[]): Promise<void> {
    await this.target.reload(step);
    const verdict = await awaitTaken(this.target, wanted, this.reloadTimeoutMs);
    if (verdict.taken) return;
    throw new Refusal(
      `${this.target.runtimeTitle} did not take ${this.target.title} within ${this.reloadTimeoutMs / 1000} s: it shows ${verdict.shown}, not ${JSON.stringify(wanted)} (its own log says why)`,
    );
  }

  /** The way back does not stop at a runtime that no longer answers: the file counts, it is read at the next start. */
  private async putBack(plan: Plan, cause: Refusal): Promise<void> {
    const { bytes, ownership } = plan.current;
    const steps = await this.target.planRollback(bytes).then(
      (way) => way.steps,
      (error: unknown): readonly Step[] => {
        if (error instanceof Refusal)
          return [plan.steps.some((step) => step.restart) ? { content: bytes, restart: true } : { content: bytes }];
        throw error;
      },
    );
    try {
      for (const step of steps) {
        const now = await takeSnapshot(this.target.path);
        await this.write(now.bytes === undefined && ownership !== undefined ? { ownership } : now, step);
        await this.tell(step);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal(
        `${cause.message}; and ${this.target.title} could not be put back: ${error.message}; run node-mirror restore`,
        { cause: error },
      );
    }
  }

  private async tell(step: Step): Promise<void> {
    const told = await this.target.reload(step).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Refusal) return false;
        throw error;
      },
    );
    if (told && step.inForce !== undefined) {
      await awaitTaken(this.target, step.inForce, this.reloadTimeoutMs);
    }
  }
}
