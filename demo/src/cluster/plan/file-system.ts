import { join } from 'node:path';
import { CommandError } from '@cdk8s-dragonfly/command';
import type { Mount, Volume } from '../manifest/volume';
import type { Workload } from '../manifest/workload';
import type { PlannedFile } from './process-plan';

/** A container's files, and where they are on this machine: volumes in folders of their own, all else in `rootfs`. */
export class FileSystem {
  private readonly mounts: readonly Mount[];
  private readonly volumes: ReadonlyMap<string, Volume>;

  /** @throws CommandError for a mount of an unknown volume, or a volume of an unknown ConfigMap */
  constructor(
    private readonly workload: Workload,
    private readonly configMaps: ReadonlyMap<string, Readonly<Record<string, string>>>,
    private readonly folder: string,
  ) {
    this.volumes = workload.volumes;
    // The longest path first: a mount may lie within another.
    this.mounts = [...workload.container.mounts].sort((left, right) => right.path.length - left.path.length);
    for (const { volume } of this.mounts) this.volumeNamed(volume);
    for (const [name] of this.volumes) this.dataOf(name);
  }

  /** Where the container's `path` is here. */
  locate(path: string): string {
    const found = this.mountOf(path);
    if (!found) return join(this.folder, 'rootfs', path);
    return join(this.folderOf(found.mount.volume), found.mount.subPath ?? '', found.rest);
  }

  /** Whether a volume is mounted at or above `path`. */
  isMounted(path: string): boolean {
    return this.mountOf(path) !== undefined;
  }

  /** The text of a file of a mounted ConfigMap, for a parser of the container's command line. Throws ENOENT for any other. */
  read(path: string): string {
    const found = this.mountOf(path);
    const data = found ? this.dataOf(found.mount.volume) : undefined;
    const text = found && data?.[join(found.mount.subPath ?? '', found.rest)];
    if (text !== undefined) return text;
    throw Object.assign(new Error(`${path} is in no ConfigMap`), { code: 'ENOENT' });
  }

  /** The folders of all volumes. */
  folders(): readonly string[] {
    return [...this.volumes.keys()].map((name) => this.folderOf(name));
  }

  /** The files of the ConfigMap volumes. */
  configFiles(): readonly PlannedFile[] {
    return [...this.volumes].flatMap(([name, volume]) =>
      Object.entries(this.dataOf(name) ?? {}).map(([key, text]) => ({
        path: join(this.folderOf(name), key),
        text,
        mode: volume.type === 'configMap' ? volume.mode : 0o644,
      })),
    );
  }

  private mountOf(path: string): { readonly mount: Mount; readonly rest: string } | undefined {
    for (const mount of this.mounts) {
      const root = mount.path.replace(/\/+$/, '');
      if (path === root || path.startsWith(`${root}/`)) return { mount, rest: path.slice(root.length) };
    }
    return undefined;
  }

  private folderOf(volumeName: string): string {
    const volume = this.volumeNamed(volumeName);
    return volume.type === 'hostPath'
      ? join(this.folder, 'host', volume.path)
      : join(this.folder, 'volumes', volumeName);
  }

  private volumeNamed(name: string): Volume {
    const volume = this.volumes.get(name);
    if (volume) return volume;
    throw new CommandError(
      `${this.workload.kind} ${this.workload.name} mounts the volume ${name}, which it does not have`,
    );
  }

  private dataOf(volumeName: string): Readonly<Record<string, string>> | undefined {
    const volume = this.volumeNamed(volumeName);
    if (volume.type !== 'configMap') return undefined;
    const data = this.configMaps.get(`${this.workload.namespace}/${volume.configMap}`);
    if (data) return data;
    throw new CommandError(
      `${this.workload.kind} ${this.workload.name} mounts the ConfigMap ${volume.configMap}, which is not in the manifests`,
    );
  }
}
