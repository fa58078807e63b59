import { k8s } from 'cdk8s-plus-27';
import type { Size } from 'cdk8s';
import { wholeMebibytes } from '../spec/size';
import { StorageType } from '../storage';
import type { Storage } from '../storage';

/** The name of the volume with the blobs. */
export const DATA = 'data';

/** Whether only root may write to a storage. */
export function needsRoot({ type }: Storage): boolean {
  return type === StorageType.HOST_PATH;
}

/** The volume with the blobs; `claim` is the claim that is made when none is named. */
export function dataVolume(storage: Storage, claim: string): k8s.Volume {
  switch (storage.type) {
    case StorageType.HOST_PATH:
      return { name: DATA, hostPath: { path: `${storage.path}`, type: 'DirectoryOrCreate' } };
    case StorageType.PERSISTENT_VOLUME_CLAIM:
      return { name: DATA, persistentVolumeClaim: { claimName: storage.claimName ?? claim } };
    case StorageType.EMPTY_DIR:
      return { name: DATA, emptyDir: storage.size === undefined ? {} : { sizeLimit: quantity(storage.size) } };
  }
}

/** What a claim asks for, where one has to be made. */
export function claimSpec(storage: Storage): k8s.PersistentVolumeClaimSpec | undefined {
  if (storage.type !== StorageType.PERSISTENT_VOLUME_CLAIM || storage.claimName !== undefined || !storage.size) {
    return undefined;
  }
  return {
    accessModes: ['ReadWriteOnce'],
    ...(storage.storageClassName === undefined ? {} : { storageClassName: storage.storageClassName }),
    resources: { requests: { storage: quantity(storage.size) } },
  };
}

function quantity(size: Size): k8s.Quantity {
  return k8s.Quantity.fromString(`${wholeMebibytes(size)}Mi`);
}
