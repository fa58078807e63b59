import type { CertificateAuthority } from '../registry';
import { checkReference } from './checks';

/** Where daemons find the files of Secrets and ConfigMaps that the user names. */
export const FILES_FOLDER = '/etc/dragonfly/registries';

/** A key of a Secret or a ConfigMap, and the name of the file that it becomes. */
export interface FileSpec {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  readonly key: string;
  readonly file: string;
}

const KEY = /^[-._A-Za-z0-9]{1,253}$/;

/** The files of one daemon. What is named twice is one file. */
export class FileSet {
  private readonly specs: FileSpec[] = [];

  /** In the order in which they were named. */
  public get files(): readonly FileSpec[] {
    return this.specs;
  }

  /**
   * A bundle of certificates.
   *
   * @returns the path of the file
   * @throws Error naming the prop when the object or its key can have no such name.
   */
  public authority(prop: string, { kind, name, key }: CertificateAuthority, file: string): string {
    if (!KEY.test(key)) {
      throw new Error(`${prop} has the key "${key}": use letters, digits, dashes, dots and underscores.`);
    }
    return this.add({ kind: kind === 'Secret' ? 'Secret' : 'ConfigMap', name: checkReference(prop, name), key, file });
  }

  /** A key of a Secret, as {@link authority}. */
  public secret(prop: string, name: string, key: string, file: string): string {
    return this.add({ kind: 'Secret', name: checkReference(prop, name), key, file });
  }

  private add(spec: FileSpec): string {
    const found = this.specs.find(
      ({ kind, name, key }) => kind === spec.kind && name === spec.name && key === spec.key,
    );
    if (found === undefined) {
      this.specs.push(spec);
    }
    return `${FILES_FOLDER}/${(found ?? spec).file}`;
  }
}
