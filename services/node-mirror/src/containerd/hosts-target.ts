import { dirname, join } from 'node:path';
import { type EditRecord, isUntouched, recordOf } from '../files/record';
import { fingerprint, sameContent, takeSnapshot } from '../files/snapshot';
import { sameMirror } from '../mirror-url';
import { Refusal } from '../refusal';
import { ANY_REGISTRY, type Registry } from '../registry';
import type { Former, Plan, Target, Verdict } from '../runtime';
import { decodeToml, readToml } from '../toml/toml-text';
import { hostsIn, newHostsToml, saysNothing, withHostFirst, withoutHost, type WantedHost } from './hosts-edits';
import { defaultHosts, HOSTS_TOML, type HostsFolder } from './hosts-folder';

/** What a hosts.toml is made from. */
export interface HostsSettings {
  readonly folder: HostsFolder;
  readonly mirror: string;
  /** For messages: `containerd 1.6.20 (process 7)`. */
  readonly runtimeTitle: string;
  readonly dialTimeout?: string;
  /** Where it stays, a file with the mirror is as wanted, whatever else an earlier `apply` was told of it. Default: it goes. */
  readonly former?: Former;
}

/** The hosts.toml of one registry, read by containerd at every pull. */
export class HostsTarget implements Target {
  readonly title: string;
  readonly path: string;
  readonly anchor: string;
  readonly runtimeTitle: string;
  readonly unwanted: boolean;

  private constructor(
    private readonly settings: HostsSettings,
    private readonly name: string,
    path: string,
    private readonly registry?: Registry,
  ) {
    this.title = join(settings.folder.title, name, HOSTS_TOML);
    // The folder of a registry means something by being there, so nothing of ours but the file stands in it.
    this.anchor = join(settings.folder.path, name);
    this.path = path;
    this.runtimeTitle = settings.runtimeTitle;
    this.unwanted = registry === undefined;
  }

  /**
   * @param name of the registry's folder
   * @param registry absent: it is not wanted any more, and our entry goes
   */
  static async of(settings: HostsSettings, name: string, registry?: Registry): Promise<HostsTarget> {
    return new HostsTarget(settings, name, await settings.folder.fileOf(name), registry);
  }

  reloadTitle(): string {
    return 'nothing';
  }

  async planApply(record: EditRecord | undefined, backup: Buffer | undefined): Promise<Plan> {
    const { registry, title } = this;
    if (registry === undefined && record !== undefined) {
      return {
        ...(await this.planRestore(record, backup)),
        summary: 'our entry removed, as the registry is no more among --registry',
      };
    }
    const { mirror, dialTimeout } = this.settings;
    const wanted: WantedHost = {
      mirror,
      ...(registry?.server === undefined ? {} : { server: registry.server }),
      ...(dialTimeout === undefined ? {} : { dialTimeout }),
    };
    const current = await takeSnapshot(this.path);
    const names = await this.settings.folder.namesOf(this.name);
    if (current.bytes === undefined) await this.checkNewFile(names);
    const { base, text } = this.ground(current.bytes, record, backup);
    const result =
      base === undefined && text === ''
        ? { text: newHostsToml(wanted), edit: 'added' }
        : withHostFirst(title, text, wanted);
    const next = Buffer.from(result.text);
    const same = sameContent(current.bytes, next);
    const summary =
      same || result.edit === 'kept' ? `${mirror} the first host, as before` : `${mirror} added as the first host`;
    const plan = { current, steps: same ? [] : [{ content: next }], summary };
    if (record === undefined && same) return plan;
    const plain = decodeToml(title, base);
    const edit = {
      current: current.bytes,
      base,
      states: [next],
      added: hostsIn(title, plain).some((host) => sameMirror(host, mirror)) ? [] : [mirror],
      keyCreated: false,
      ownFolder: names === undefined,
    };
    return { ...plan, base, record: recordOf(record, edit) };
  }

  async planRestore(record: EditRecord, backup: Buffer | undefined): Promise<Plan> {
    const { title } = this;
    const current = await takeSnapshot(this.path);
    const plan = { current, record };
    const removed = 'removed, as there was none before the first apply';
    const now = fingerprint(current.bytes);
    if (now === record.original) return { ...plan, steps: [], summary: 'already as it was before the first apply' };
    if (current.bytes === undefined) return { ...plan, steps: [], summary: 'removed by someone else; stays so' };
    if (isUntouched(record, current.bytes)) {
      if (!record.existed) return { ...plan, steps: [{ content: undefined }], summary: removed };
      if (backup !== undefined) return { ...plan, steps: [{ content: backup }], summary: 'its first bytes are back' };
    }
    const text = decodeToml(title, current.bytes);
    const rest = record.added.reduce((left, mirror) => withoutHost(title, left, mirror), text);
    if (!record.existed && saysNothing(title, rest))
      return { ...plan, steps: [{ content: undefined }], summary: removed };
    const steps = rest === text ? [] : [{ content: Buffer.from(rest) }];
    return { ...plan, steps, summary: 'edited by others since; only the entry of node-mirror was removed' };
  }

  async planRollback(content: Buffer | undefined): Promise<Plan> {
    return { current: await takeSnapshot(this.path), steps: [{ content }], summary: 'put back as it was' };
  }

  async inspect(candidate: string): Promise<void> {
    readToml(this.title, decodeToml(this.title, (await takeSnapshot(candidate)).bytes));
  }

  async reload(): Promise<void> {
    await Promise.resolve();
  }

  async verify(): Promise<Verdict> {
    return await Promise.resolve({ taken: true, shown: 'it' });
  }

  /** The file without what earlier runs have added, and the text to add the mirror to. */
  private ground(
    current: Buffer | undefined,
    record: EditRecord | undefined,
    backup: Buffer | undefined,
  ): { readonly base: Buffer | undefined; readonly text: string } {
    const { title } = this;
    const text = decodeToml(title, current);
    if (record === undefined || (this.settings.former === 'stays' && current !== undefined))
      return { base: current, text };
    if (isUntouched(record, current) && (backup !== undefined || !record.existed)) {
      return { base: backup, text: decodeToml(title, backup) };
    }
    const without = (mirrors: readonly string[]): string =>
      mirrors.reduce((rest, mirror) => withoutHost(title, rest, mirror), text);
    const base = without(record.added);
    return {
      base: !record.existed && saysNothing(title, base) ? undefined : Buffer.from(base),
      text: without(record.added.filter((mirror) => !sameMirror(mirror, this.settings.mirror))),
    };
  }

  /** @throws Refusal when a first hosts.toml would take something away from the registry */
  private async checkNewFile(names: readonly string[] | undefined): Promise<void> {
    const { folder, mirror } = this.settings;
    const where = dirname(this.title);
    const certificates = (names ?? []).filter((name) => /\.(crt|cert|key)$/.test(name));
    if (certificates.length > 0) {
      throw new Refusal(
        `${where} has certificates (${certificates.join(', ')}) and no hosts.toml; containerd would not use them any more: write a hosts.toml that names them (ca, client) and run again; nothing was changed`,
      );
    }
    if (names !== undefined || this.registry?.host === ANY_REGISTRY) return;
    const others = (await defaultHosts(folder)).filter((host) => !sameMirror(host, mirror));
    if (others.length > 0) {
      throw new Refusal(
        `${join(folder.title, ANY_REGISTRY, HOSTS_TOML)} has ${others.join(', ')} for every registry without a folder of its own, and ${where} would be one: copy that file to ${this.title}, or say --registry ${ANY_REGISTRY}; nothing was changed`,
      );
    }
  }
}
