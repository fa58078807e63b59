import type { Size } from 'cdk8s';
import { DFDAEMON } from '../contract/index';
import { Storage, StorageType } from '../storage';
import { checkHostPath, checkReference } from './checks';
import { wholeMebibytes } from './size';

/** Where a store is, and what it may take. */
export interface StoreSpec {
  readonly storage: Storage;
  /** MiB; absent: the daemon's own default. */
  readonly diskQuota: number | undefined;
  /** MiB; absent: the daemon's own default. */
  readonly minFree: number | undefined;
}

/** The daemon's own defaults, in MiB. */
export interface StoreDefaults {
  readonly diskQuota: number;
  readonly minFree: number;
}

/** The defaults of a command's flags, which are whole GiB. */
export function storeDefaults(
  flags: Readonly<Record<'diskQuota' | 'minFree', { readonly default: string }>>,
): StoreDefaults {
  const mebibytesOf = ({ default: text }: { readonly default: string }): number => {
    const [, digits] = /^([0-9]+)GiB$/.exec(text) ?? [];
    if (digits === undefined) {
      throw new Error(`the default ${text} is no whole number of GiB`);
    }
    return Number(digits) * 1024;
  };
  return { diskQuota: mebibytesOf(flags.diskQuota), minFree: mebibytesOf(flags.minFree) };
}

/** The smallest quota that df-daemon and supernode take, in MiB. */
const LEAST_QUOTA = DFDAEMON.flags.diskQuota.min / 1024 ** 2;

/** What of a volume of known size stays free unless something else is said: a twentieth. */
const FREE_SHARE = 20;

/**
 * A store's folder and its limits, checked against the size of the volume.
 *
 * @throws Error naming the prop, the value and the fix: a folder or name that is none, a quota of nothing, a quota and a floor that the
 *   volume cannot hold, no floor on a disk that others use.
 */
export function storeSpec(
  props: { readonly storage?: Storage; readonly diskQuota?: Size; readonly minFree?: Size },
  defaults: StoreDefaults,
  hostPath: string,
): StoreSpec {
  const storage = checkStorage(props.storage ?? Storage.hostPath(hostPath));
  const quota = props.diskQuota === undefined ? undefined : mebibytes('diskQuota', props.diskQuota, LEAST_QUOTA);
  const free = props.minFree === undefined ? undefined : mebibytes('minFree', props.minFree, 0);
  if (free === 0 && storage.type === StorageType.HOST_PATH) {
    throw new Error(
      `minFree is 0 and the storage is ${storage.path ?? ''} of the node: the quota alone does not keep its disk from filling when ` +
        'others write to it too; leave at least Size.gibibytes(1).',
    );
  }
  const size = storage.size === undefined ? undefined : wholeMebibytes(storage.size);
  if (size === undefined) {
    return { storage, diskQuota: quota, minFree: free };
  }
  const minFree = free ?? Math.min(defaults.minFree, Math.ceil(size / FREE_SHARE));
  if (size - minFree < LEAST_QUOTA) {
    throw new Error(
      `minFree is ${minFree} MiB of a volume of ${size} MiB: less than ${LEAST_QUOTA} MiB are left for blobs; use a larger volume.`,
    );
  }
  if (quota !== undefined && quota + minFree > size) {
    throw new Error(
      `diskQuota is ${quota} MiB and minFree ${minFree} MiB, and the volume holds ${size} MiB: ` +
        `set diskQuota to at most ${size - minFree} MiB, or leave it out.`,
    );
  }
  return { storage, diskQuota: quota ?? Math.min(defaults.diskQuota, size - minFree), minFree };
}

/** A number of MiB as the flags of the daemons are written. */
export function sizeText(mib: number | undefined): string | undefined {
  return mib === undefined ? undefined : `${mib}MiB`;
}

function mebibytes(prop: string, size: Size, min: number): number {
  const mib = wholeMebibytes(size);
  if (mib < min) {
    throw new Error(`${prop} is ${size.asString()}: use at least ${min} MiB.`);
  }
  return mib;
}

function checkStorage(storage: Storage): Storage {
  if (storage.path !== undefined) {
    checkHostPath('storage', storage.path);
  }
  if (storage.claimName !== undefined) {
    checkReference('storage', storage.claimName);
  }
  // Empty, it asks for a volume that is there, of no class.
  if (storage.storageClassName !== undefined && storage.storageClassName !== '') {
    checkReference('storage', storage.storageClassName);
  }
  return storage;
}
