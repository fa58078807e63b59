import type { Size } from 'cdk8s';
import { text } from './spec/shape';
import { CLAIM, EMPTY_DIR } from './spec/shapes';

/** Where the data of a daemon may be. */
export enum StorageType {
  /** A folder of the node. */
  HOST_PATH = 'hostPath',
  /** A persistent volume. */
  PERSISTENT_VOLUME_CLAIM = 'persistentVolumeClaim',
  /** A folder that ends with the pod. */
  EMPTY_DIR = 'emptyDir',
}

/** What can be said about a folder that ends with the pod. */
export interface EmptyDirStorageOptions {
  /**
   * The most that it may hold; beyond it the kubelet ends the pod, so the daemon's quota and floor have to fit.
   *
   * @default - no limit but the node's disk
   */
  readonly sizeLimit?: Size;
}

/** What can be said about a persistent volume. Either a claim that is there, or the size of one to make. */
export interface PersistentVolumeClaimStorageOptions {
  /**
   * The name of a claim that is there. Not with `replicas` above 1, which needs a claim each.
   *
   * @default - a claim is made
   */
  readonly claimName?: string;
  /**
   * The size of the volume. With `claimName` it is what the daemon's quota and floor are checked against.
   *
   * @default - required unless `claimName` is given
   */
  readonly size?: Size;
  /**
   * The storage class of a claim to make.
   *
   * @default - the cluster's own
   */
  readonly storageClassName?: string;
}

/** Where a daemon keeps its blobs. */
export class Storage {
  /**
   * A folder of the node, made if missing. It belongs to root, so the daemon runs as user 0, without any capability.
   *
   * @param path an absolute path on the node
   */
  public static hostPath(path: string): Storage {
    text('Storage.hostPath()', path);
    return new Storage(StorageType.HOST_PATH, { path });
  }

  /**
   * A persistent volume; the daemon is not root.
   *
   * @param options the claim, or what is needed to make one
   */
  public static persistentVolumeClaim(options: PersistentVolumeClaimStorageOptions): Storage {
    CLAIM('Storage.persistentVolumeClaim()', options);
    const { claimName, size, storageClassName } = options;
    if (claimName === undefined && size === undefined) {
      throw new Error(
        'Storage.persistentVolumeClaim() has neither claimName nor size: name a claim that is there, or give the size of one to make.',
      );
    }
    if (claimName !== undefined && storageClassName !== undefined) {
      throw new Error(
        `Storage.persistentVolumeClaim() has claimName "${claimName}" and storageClassName "${storageClassName}": ` +
          'a claim that is there has its class; leave out one of the two.',
      );
    }
    return new Storage(StorageType.PERSISTENT_VOLUME_CLAIM, {
      ...(claimName === undefined ? {} : { claimName }),
      ...(size === undefined ? {} : { size }),
      ...(storageClassName === undefined ? {} : { storageClassName }),
    });
  }

  /**
   * A folder that ends with the pod; the daemon is not root, and fetches again what it had after a restart of the pod.
   *
   * @param options its limit
   */
  public static emptyDir(options: EmptyDirStorageOptions = {}): Storage {
    EMPTY_DIR('Storage.emptyDir()', options);
    return new Storage(StorageType.EMPTY_DIR, options.sizeLimit === undefined ? {} : { size: options.sizeLimit });
  }

  /** The folder on the node; for `hostPath` alone. */
  public readonly path?: string;
  /** The claim that is there; for `persistentVolumeClaim` alone. */
  public readonly claimName?: string;
  /** The size of the volume, if it has one. */
  public readonly size?: Size;
  /** The storage class of a claim to make. */
  public readonly storageClassName?: string;

  private constructor(
    /** What kind of storage it is. */
    public readonly type: StorageType,
    fields: StorageFields,
  ) {
    Object.assign(this, fields);
  }
}

interface StorageFields {
  readonly path?: string;
  readonly claimName?: string;
  readonly size?: Size;
  readonly storageClassName?: string;
}
