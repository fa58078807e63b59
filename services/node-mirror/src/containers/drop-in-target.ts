import { join } from 'node:path';
import { type EditRecord, isUntouched, recordOf } from '../files/record';
import { sameContent, takeSnapshot, writtenBefore } from '../files/snapshot';
import { Refusal } from '../refusal';
import type { Plan, Step, Target, Verdict } from '../runtime';
import { decodeToml, readToml } from '../toml/toml-text';
import type { Crio } from './crio';
import { asksFirst, dropIn, dropInName, isPath, mirrorLocation, withoutMirrors } from './drop-in';
import { entryFor, type RegistryEntry } from './registries-conf';
import type { RegistriesConfFiles } from './registries-conf-files';

/** What a drop-in is made from. */
export interface DropInSettings {
  readonly files: RegistriesConfFiles;
  readonly mirror: string;
  /** For messages: `podman`, `CRI-O 1.28.4 (process 7)`. */
  readonly runtimeTitle: string;
  /** Who has to be told of a change; absent: nobody, podman reads the files at every command. */
  readonly crio?: Crio;
}

/** What CRI-O, which cannot be asked, must have been told of. */
const TOLD = ['the file as it is'];

/** The drop-in of one registry: a file of our own. */
export class DropInTarget implements Target {
  readonly title: string;
  readonly path: string;
  readonly anchor: string;
  readonly runtimeTitle: string;
  readonly listener?: string;
  readonly unwanted: boolean;
  private readonly name: string;

  /** @param host the registry; absent: the drop-in is not wanted any more, and goes when it is ours */
  constructor(
    private readonly settings: DropInSettings,
    name: string,
    private readonly host?: string,
  ) {
    const { files, crio } = settings;
    this.name = host === undefined ? name : dropInName(host);
    this.title = files.titleOf(this.name);
    this.path = join(files.folder, this.name);
    this.anchor = this.path;
    this.runtimeTitle = settings.runtimeTitle;
    this.unwanted = host === undefined;
    if (crio !== undefined) this.listener = crio.identity;
  }

  reloadTitle(): string {
    const { crio } = this.settings;
    return crio === undefined ? 'nothing' : `SIGHUP to process ${crio.pid}`;
  }

  async planApply(record: EditRecord | undefined): Promise<Plan> {
    if (this.host === undefined && record !== undefined) {
      return {
        ...(await this.planRestore(record)),
        summary: 'removed, as its registry is no more among --registry',
      };
    }
    const { mirror, files } = this.settings;
    const host = this.host ?? '';
    const current = await takeSnapshot(this.path);
    if (current.bytes !== undefined && (record === undefined || !isUntouched(record, current.bytes))) {
      const who =
        record === undefined ? 'was not written by node-mirror' : 'was edited by others since node-mirror wrote it';
      throw new Refusal(
        `${this.title} ${who}: move what it says into a file of its own and remove it; nothing was changed`,
      );
    }
    const entries = await files.entriesWithout(this.name);
    const later = files.laterThan(this.name, entries, host);
    if (later !== undefined) {
      throw new Refusal(
        `${later.file} is read after ${this.title} and its entry for ${host} would replace ours: rename it so that it comes before; nothing was changed`,
      );
    }
    const theirs = entryFor(entries, host);
    this.checkPath(host, theirs);
    if (current.bytes === undefined && record === undefined && asksFirst(theirs, mirror, host)) {
      return { current, steps: [], summary: `${mirror} the first mirror of ${host} by ${theirs.file}` };
    }
    const next = Buffer.from(dropIn(mirror, host, theirs));
    readToml(this.title, next.toString('utf8'));
    const same = sameContent(current.bytes, next);
    const steps = same && (await this.isTold(record)) ? [] : [this.step(next)];
    const summary = same ? `${mirror} the first mirror of ${host}, as before` : `${mirror} the first mirror of ${host}`;
    const edit = { current: current.bytes, base: undefined, states: [next], added: [mirror], keyCreated: true };
    const kept = same && record?.told !== undefined ? { told: record.told } : {};
    return { current, steps, summary, base: undefined, record: { ...recordOf(record, edit), ...kept } };
  }

  async planRestore(record: EditRecord): Promise<Plan> {
    const current = await takeSnapshot(this.path);
    if (current.bytes === undefined) {
      const steps = this.settings.crio === undefined ? [] : [this.step(undefined)];
      return { current, steps, record, summary: 'removed by someone else; stays so' };
    }
    if (isUntouched(record, current.bytes)) {
      return {
        current,
        steps: [this.step(undefined)],
        record,
        summary: 'removed, as there was none before the first apply',
      };
    }
    const rest = Buffer.from(withoutMirrors(this.title, decodeToml(this.title, current.bytes), record.added));
    const steps = sameContent(rest, current.bytes) ? [] : [this.step(rest)];
    return { current, steps, record, summary: 'edited by others since; only the mirror of node-mirror was removed' };
  }

  async planRollback(content: Buffer | undefined): Promise<Plan> {
    return { current: await takeSnapshot(this.path), steps: [this.step(content)], summary: 'put back as it was' };
  }

  async inspect(candidate: string): Promise<void> {
    readToml(this.title, decodeToml(this.title, (await takeSnapshot(candidate)).bytes));
  }

  async reload(): Promise<void> {
    await this.settings.crio?.reload();
  }

  async verify(): Promise<Verdict> {
    const { crio } = this.settings;
    if (crio === undefined) return { taken: true, shown: '[]' };
    const shown = 'what it has read when it started or was last told';
    return (await crio.runs()) ? { taken: true, shown } : { taken: false, shown: 'nothing, as it has ended' };
  }

  /** @throws Refusal when no mirror can have the place of the registry in its path */
  private checkPath(host: string, theirs: RegistryEntry | undefined): void {
    const location = theirs?.location ?? host;
    if (isPath(location)) return;
    const path = mirrorLocation(this.settings.mirror, location);
    const whose = theirs === undefined ? host : `${location}, where ${theirs.file} has ${host},`;
    throw new Refusal(
      `${whose} cannot be in the path of a mirror (${path}), where podman and CRI-O want lower case and no port, and else fail every pull of ${host}: leave ${host} out for this runtime (--registry); nothing was changed`,
    );
  }

  private step(content: Buffer | undefined): Step {
    return this.settings.crio === undefined ? { content } : { content, inForce: TOLD };
  }

  /** Whether CRI-O has read the file as it is: it was told, or has started since. */
  private async isTold(record: EditRecord | undefined): Promise<boolean> {
    const { crio } = this.settings;
    if (crio === undefined || record?.told === crio.identity) return true;
    return await writtenBefore(this.path, crio.startedAt);
  }
}
