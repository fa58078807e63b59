import type { Log } from '@cdk8s-dragonfly/command';
import { FileChange, type Look, undoAll } from './file-change';
import { waitForMirror } from './mirror-ready';
import { Refusal } from './refusal';
import type { FileReport, Report, RuntimeReport } from './report';
import type { Former, Installation, Runtime, Target } from './runtime';

/** What the modes need to know. */
export interface NodeMirrorSettings {
  readonly mirror: string;
  /** How long `apply` waits for the df-daemon, in milliseconds. */
  readonly waitMs: number;
  /** Where the df-daemon says that it is ready. Absent: only the mirror is asked. */
  readonly readyz?: string;
  /** How long a runtime may take to show a change, in milliseconds. */
  readonly reloadTimeoutMs: number;
  /** Whether a runtime that is not on the node is passed over, as long as another one is there. */
  readonly auto: boolean;
}

/** The outside of a {@link NodeMirror}. */
export interface NodeMirrorPorts {
  /** For whoever looks into what happened. */
  readonly log?: Pick<Log, 'info' | 'debug'>;
  /** Ends the waiting for the mirror, and `apply` and `restore` before their next runtime; what is begun is finished. */
  readonly signal?: AbortSignal;
  /** Default: {@link waitForMirror}. */
  readonly waitForMirror?: typeof waitForMirror;
}

/** How much `check` looks at. */
export interface CheckScope {
  /** What becomes of a runtime that does not run or cannot be seen: it is left out, or its files are looked at if there are any. Default: left out. */
  readonly unseen?: 'leave' | 'configured';
  /** `stays`: more may have been applied than this run names, and is no fault. Default: it goes, as with `apply`. */
  readonly former?: Former;
}

type Mode = 'apply' | 'plan' | 'check' | 'restore';

/** What a mode does with a runtime that is there. */
type Work = (installation: Installation, common: Common) => Promise<RuntimeReport>;

/** What is known of a runtime before its files are looked at. */
type Common = Pick<RuntimeReport, 'runtime' | 'version' | 'unseen'>;

/** What becomes of a runtime that does not run or cannot be seen: it is left out, worked on if it has a configuration, or worked on. */
type Unseen = 'leave' | 'configured' | 'work';

/** The most that happened to one of the files. */
function mostOf(files: readonly FileReport[]): FileReport['outcome'] {
  return files.find(({ outcome }) => outcome !== 'unchanged')?.outcome ?? 'unchanged';
}

/** Several runtimes, each of which may take its time, would outlast the patience of who waits for the end. @throws Refusal */
function checkStop(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new Refusal('told to stop before its turn; nothing was changed');
}

/** Points the container runtimes of a node at a mirror, and back. Every mode may be run again, also after it was killed. */
export class NodeMirror {
  private readonly wait: typeof waitForMirror;

  constructor(
    private readonly runtimes: readonly Runtime[],
    private readonly settings: NodeMirrorSettings,
    private readonly ports: NodeMirrorPorts = {},
  ) {
    this.wait = ports.waitForMirror ?? waitForMirror;
  }

  /**
   * Makes the mirror the first that each runtime asks; writes and reloads nothing where it is. A runtime that refuses is
   * left, or put back, as it was, and does not keep the others from it.
   */
  async apply(): Promise<Report> {
    const looks = await this.each('plan', async (installation, common) => {
      const looked = await this.look(installation);
      const done = looked.every(([, look]) => look.plan.steps.length === 0);
      return { ...common, outcome: done ? 'unchanged' : 'would-change', files: [] };
    });
    if (looks.runtimes.some(({ outcome }) => outcome === 'would-change')) {
      const { mirror, waitMs, readyz } = this.settings;
      this.ports.log?.info({ mirror, waitMs }, 'waiting for the mirror');
      try {
        await this.wait(mirror, waitMs, { ...(readyz === undefined ? {} : { readyz }), signal: this.ports.signal });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { mode: 'apply', mirror, outcome: 'refused', reason: error.message, runtimes: looks.runtimes };
      }
    }
    return await this.each('apply', async (installation, common) => {
      checkStop(this.ports.signal);
      const looked = await this.look(installation);
      const files: FileReport[] = [];
      const undos: (() => Promise<void>)[] = [];
      for (const [change, look] of looked) {
        if (change.target.unwanted === true) {
          const restored = await change.restore();
          if (restored !== undefined) files.push({ ...restored, outcome: 'changed' });
          continue;
        }
        if (FileChange.isDone(look)) {
          files.push(change.preview(look));
          continue;
        }
        try {
          const { report, undo } = await change.apply();
          files.push(report);
          undos.push(undo);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          return await undoAll(undos, error);
        }
      }
      return { ...common, outcome: mostOf(files), files };
    });
  }

  /** Says what `apply` would change. */
  async plan(): Promise<Report> {
    return await this.each('plan', async (installation, common) => {
      const files = (await this.look(installation)).map(([change, look]) => change.preview(look));
      return { ...common, outcome: mostOf(files), files };
    });
  }

  /** Says what is not as `apply` would leave it, or was not taken by its runtime. */
  async check({ unseen = 'leave', former = 'goes' }: CheckScope = {}): Promise<Report> {
    const work: Work = async (installation, common) => {
      const files: FileReport[] = [];
      for (const [change, look] of await this.look(installation, former)) {
        const fault = await change.fault(look, this.settings.mirror);
        if (fault !== undefined) throw new Refusal(fault);
        const { title, runtimeTitle } = change.target;
        const { summary } = look.plan;
        const taken = common.unseen === undefined ? `; ${runtimeTitle} has taken it` : '';
        files.push({ file: title, outcome: 'unchanged', summary: `${summary}${taken}` });
      }
      return { ...common, outcome: 'unchanged', files };
    };
    return await this.each('check', work, unseen);
  }

  /**
   * Undoes every `apply`, last file first. Runtimes that do not run get their files back all the same.
   *
   * @param toTheEnd whether a run that is told to stop goes on to the next runtime. Default: no
   */
  async restore({ toTheEnd = false }: { readonly toTheEnd?: boolean } = {}): Promise<Report> {
    const { signal } = this.ports;
    return await this.each(
      'restore',
      async (installation, common) => {
        if (!toTheEnd) checkStop(signal);
        const files: FileReport[] = [];
        for (const change of this.changes(await installation.recorded()).reverse()) {
          const restored = await change.restore();
          if (restored !== undefined) files.push(restored);
        }
        return { ...common, outcome: mostOf(files), files };
      },
      'work',
    );
  }

  private changes(targets: readonly Target[]): FileChange[] {
    return targets.map((target) => new FileChange(target, this.settings.reloadTimeoutMs));
  }

  /** All plans first: what one file refuses keeps the others of its runtime as they are. */
  private async look(installation: Installation, former: Former = 'goes'): Promise<(readonly [FileChange, Look])[]> {
    const looks: (readonly [FileChange, Look])[] = [];
    for (const change of this.changes(await installation.wanted(former))) looks.push([change, await change.look()]);
    return looks;
  }

  private async each(mode: Mode, work: Work, unseen: Unseen = 'leave'): Promise<Report> {
    const runtimes: RuntimeReport[] = [];
    for (const runtime of this.runtimes) runtimes.push(await this.one(runtime, work, unseen));
    const { mirror, auto } = this.settings;
    const refused = runtimes.some(({ outcome }) => outcome === 'refused');
    const missing = runtimes.filter(({ outcome }) => outcome === 'absent');
    if (auto && missing.length === runtimes.length && unseen !== 'work') {
      const why = missing.map(
        ({ runtime, reason = '' }) => `${runtime}: ${reason.replace(/; nothing was changed$/, '')}`,
      );
      const reason = `no container runtime was found on this node: ${why.join('; ')}; nothing was changed`;
      return { mode, mirror, outcome: 'refused', reason, runtimes };
    }
    return { mode, mirror, outcome: refused ? 'refused' : 'done', runtimes };
  }

  private async one(runtime: Runtime, work: Work, unseen: Unseen): Promise<RuntimeReport> {
    const name = { runtime: runtime.name };
    let common: Common = name;
    let installation: Installation | undefined;
    // What there is to note is known when the work is done.
    const noted = (report: RuntimeReport): RuntimeReport => {
      const { notes = [] } = installation ?? {};
      return notes.length === 0 ? report : { ...report, notes };
    };
    try {
      installation = await runtime.find();
      const { version, absent } = installation;
      common = { ...name, ...(version === undefined ? {} : { version }) };
      if (absent === undefined || unseen === 'work') return noted(await work(installation, common));
      if (unseen === 'configured' && (await installation.isConfigured())) {
        common = { ...common, unseen: absent };
        return noted(await work(installation, common));
      }
      return { ...common, outcome: this.settings.auto ? 'absent' : 'refused', reason: absent, files: [] };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.ports.log?.debug({ err: error, runtime: runtime.name }, 'refused');
      const unseen = installation === undefined ? { unseen: error.message } : {};
      return noted({ ...common, ...unseen, outcome: 'refused', reason: error.message, files: [] });
    }
  }
}
