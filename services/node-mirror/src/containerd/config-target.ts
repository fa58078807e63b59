import { type EditRecord, isUntouched, recordOf } from '../files/record';
import { fingerprint, sameContent, takeSnapshot, writtenBefore } from '../files/snapshot';
import { Refusal } from '../refusal';
import type { Plan, Step, Target, Verdict } from '../runtime';
import { decodeToml } from '../toml/toml-text';
import { readCriRegistry, withConfigPath, withoutConfigPath } from './config-edits';
import type { Containerd } from './containerd';

/** What the change of a config.toml needs. */
export interface ConfigSettings {
  /** The file as the node knows it, and resolved. */
  readonly title: string;
  readonly path: string;
  /** What `config_path` is to be. */
  readonly folder: string;
  readonly restart: boolean;
  readonly runtimeTitle: string;
  /** Absent: none runs. */
  readonly containerd?: Containerd;
}

/** Why a list in `config_path` does not do. */
export function unusedList(version = ''): string {
  return `a list, of which containerd ${version} uses no part unless use_local_image_pull is true`;
}

/** The `config_path` of a text; `''`: none. */
function configPathIn(title: string, bytes: Buffer | undefined): string {
  return readCriRegistry(title, decodeToml(title, bytes)).configPath ?? '';
}

/** `config_path` in containerd's own configuration, which is read at its start only. */
export class ConfigTarget implements Target {
  readonly title: string;
  readonly path: string;
  readonly anchor: string;
  readonly runtimeTitle: string;

  constructor(private readonly settings: ConfigSettings) {
    this.title = settings.title;
    this.path = settings.path;
    this.anchor = settings.path;
    this.runtimeTitle = settings.runtimeTitle;
  }

  get listener(): string {
    return this.settings.containerd?.identity ?? '';
  }

  reloadTitle(): string {
    return 'systemctl restart (pods go on, CRI calls fail for some seconds)';
  }

  async planApply(record: EditRecord | undefined, backup: Buffer | undefined): Promise<Plan> {
    const { title, settings } = this;
    const current = await takeSnapshot(this.path);
    const text = decodeToml(title, current.bytes);
    const major = Number(settings.containerd?.version.split('.')[0] ?? '1');
    const next = Buffer.from(withConfigPath(title, text, settings.folder, major));
    const same = sameContent(current.bytes, next) || text === next.toString('utf8');
    const told = same && (await this.isTold(record));
    if (!told && !settings.restart) {
      const said = configPathIn(title, current.bytes);
      const missing =
        said === ''
          ? 'sets no config_path, so containerd reads no hosts.toml'
          : `has config_path = "${said}", ${unusedList(settings.containerd?.version)}`;
      const what = same ? 'was changed and containerd has not been restarted since' : missing;
      throw new Refusal(
        `${title} ${what}, and it is read at containerd's start only: say --restart to have ${same ? 'it' : `config_path = "${settings.folder}" set and containerd`} restarted (pods go on), or do both by hand; nothing was changed`,
      );
    }
    if (!told) await settings.containerd?.prepareRestart();
    const content = same ? current.bytes : next;
    const steps = told ? [] : [{ content, inForce: [`config_path = "${settings.folder}"`] }];
    const summary = `config_path = "${settings.folder}"`;
    const kept = told ? { told: this.listener } : {};
    if (record !== undefined && same && !record.added.includes(settings.folder)) {
      // Others have put another one in its place: that one is theirs.
      return { current, steps, record: { ...record, ...kept }, summary };
    }
    const untouched = record !== undefined && isUntouched(record, current.bytes);
    const base =
      record === undefined
        ? current.bytes
        : untouched
          ? backup
          : Buffer.from(withoutConfigPath(title, text, settings.folder, configPathIn(title, backup)));
    const edit = { current: current.bytes, base, states: [content], added: [settings.folder], keyCreated: true };
    return { current, steps, base, record: { ...recordOf(record, edit), ...kept }, summary };
  }

  /** A folder without entries of ours changes nothing, so the running containerd may keep it until its next start. */
  async planRestore(record: EditRecord, backup: Buffer | undefined): Promise<Plan> {
    const { title } = this;
    const current = await takeSnapshot(this.path);
    const plan = { current, record };
    if (fingerprint(current.bytes) === record.original)
      return { ...plan, steps: [], summary: 'already as it was before the first apply' };
    if (current.bytes === undefined) return { ...plan, steps: [], summary: 'removed by someone else; stays so' };
    if (isUntouched(record, current.bytes) && (backup !== undefined || !record.existed)) {
      return {
        ...plan,
        steps: [{ content: backup }],
        summary: 'its first bytes are back; containerd reads them at its next start',
      };
    }
    const text = decodeToml(title, current.bytes);
    const former = configPathIn(title, backup);
    const rest = record.added.reduce((left, folder) => withoutConfigPath(title, left, folder, former), text);
    const steps = rest === text ? [] : [{ content: Buffer.from(rest) }];
    return {
      ...plan,
      steps,
      summary: 'edited by others since; only config_path is as before; containerd reads it at its next start',
    };
  }

  async planRollback(content: Buffer | undefined): Promise<Plan> {
    const steps: readonly Step[] = [{ content, inForce: ['the old file'] }];
    return { current: await takeSnapshot(this.path), steps, summary: 'put back as it was' };
  }

  async inspect(candidate: string): Promise<void> {
    await this.settings.containerd?.inspect(candidate);
  }

  async reload(): Promise<void> {
    await this.settings.containerd?.restart();
  }

  async verify(): Promise<Verdict> {
    const back = (await this.settings.containerd?.isBack()) ?? true;
    return back ? { taken: true, shown: 'its CRI' } : { taken: false, shown: 'no CRI' };
  }

  /** Whether containerd has read the file as it is, or will at its start: it was restarted for it, or has started since, as after a reboot. */
  private async isTold(record: EditRecord | undefined): Promise<boolean> {
    const { containerd } = this.settings;
    if (containerd === undefined || record?.told === containerd.identity) return true;
    return await writtenBefore(this.path, containerd.startedAt);
  }
}
