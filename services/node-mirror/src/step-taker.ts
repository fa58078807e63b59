import { setTimeout as pause } from 'node:timers/promises';
import { removeFile, replaceFile } from './files/replace-file';
import { sameContent, type Snapshot, takeSnapshot } from './files/snapshot';
import { Refusal } from './refusal';
import type { Installation, Plan, Step, Verdict } from './runtime';

const POLL_MS = 100;

/** Asks the runtime until it shows these mirrors, or the time is over. */
async function awaitTaken(installation: Installation, mirrors: readonly string[], timeoutMs: number): Promise<Verdict> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const verdict = await installation.verify(mirrors).catch((error: unknown): Verdict => {
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
    private readonly installation: Installation,
    private readonly reloadTimeoutMs: number,
  ) {}

  /**
   * @throws Refusal with the reason, after everything was put back
   */
  async take(plan: Plan): Promise<void> {
    let current = plan.current;
    let touched = false;
    try {
      for (const step of plan.steps) {
        if (!sameContent(current.bytes, step.content)) {
          await this.write(plan.path, current, step);
          touched = true;
          current = await takeSnapshot(plan.path);
        }
        if (step.inForce !== undefined) {
          touched = true;
          await this.reload(plan, step.inForce);
        }
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!touched) throw error;
      await this.putBack(plan, error);
      throw new Refusal(`${error.message}; ${plan.title} was put back as it was`, { cause: error });
    }
  }

  private async write(path: string, current: Snapshot, step: Step): Promise<void> {
    if (step.content === undefined) {
      if (current.bytes !== undefined) await removeFile(path, current.bytes);
      return;
    }
    await replaceFile(path, step.content, {
      expected: current.bytes ?? 'missing',
      inspect: async (candidate) => {
        await this.installation.inspect(candidate);
      },
      ...(current.ownership === undefined ? {} : { ownership: current.ownership }),
    });
  }

  private async reload(plan: Plan, mirrors: readonly string[]): Promise<void> {
    await this.installation.reload();
    const verdict = await awaitTaken(this.installation, mirrors, this.reloadTimeoutMs);
    if (verdict.taken) return;
    throw new Refusal(
      `${this.installation.title} did not take ${plan.title} within ${this.reloadTimeoutMs / 1000} s: it shows ${verdict.shown}, not ${JSON.stringify(mirrors)} (its own log says why: it keeps its old settings when anything in the file is wrong)`,
    );
  }

  /** The way back does not stop at a runtime that no longer answers: the file counts, it is read at the next start. */
  private async putBack(plan: Plan, cause: Refusal): Promise<void> {
    const { bytes, ownership } = plan.current;
    const steps = await this.installation.planRollback(bytes).then(
      (way) => way.steps,
      (error: unknown): readonly Step[] => {
        if (error instanceof Refusal) return [{ content: bytes }];
        throw error;
      },
    );
    try {
      for (const step of steps) {
        const now = await takeSnapshot(plan.path);
        await this.write(plan.path, now.bytes === undefined && ownership !== undefined ? { ownership } : now, step);
        await this.tell(step);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal(
        `${cause.message}; and ${plan.title} could not be put back: ${error.message}; run node-mirror restore`,
        { cause: error },
      );
    }
  }

  private async tell(step: Step): Promise<void> {
    const told = await this.installation.reload().then(
      () => true,
      (error: unknown) => {
        if (error instanceof Refusal) return false;
        throw error;
      },
    );
    if (told && step.inForce !== undefined) {
      await awaitTaken(this.installation, step.inForce, this.reloadTimeoutMs);
    }
  }
}
