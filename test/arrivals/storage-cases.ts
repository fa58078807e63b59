import { Size } from 'cdk8s';
import type { EmptyDirStorageOptions, PersistentVolumeClaimStorageOptions } from '../../src';
import type { Cases } from './case';
import { object, pod, SEED, values } from './places';

const MIB = 2 ** 20;

export const EMPTY_DIR: Cases<EmptyDirStorageOptions> = {
  sizeLimit: [
    {
      given: Size.gibibytes(2),
      arrives: { ...values(SEED, { diskQuota: (2048 - 103) * MIB, minFree: 103 * MIB }) },
    },
    {
      given: Size.mebibytes(100),
      arrives: pod(SEED, { volumes: [{ name: 'data', emptyDir: { sizeLimit: '100Mi' } }] }),
    },
  ],
};

const claim = (spec: object): object => object('PersistentVolumeClaim supernode-data', { spec });

export const CLAIM: Cases<PersistentVolumeClaimStorageOptions> = {
  claimName: [
    { given: 'mine', arrives: pod(SEED, { volumes: [{ persistentVolumeClaim: { claimName: 'mine' } }] }) },
    { given: 'other', arrives: pod(SEED, { volumes: [{ persistentVolumeClaim: { claimName: 'other' } }] }) },
  ],
  size: [
    { given: Size.gibibytes(10), arrives: claim({ resources: { requests: { storage: '10240Mi' } } }) },
    {
      given: Size.gibibytes(20),
      arrives: {
        ...claim({ resources: { requests: { storage: '20480Mi' } } }),
        ...values(SEED, { diskQuota: 19456 * MIB }),
      },
    },
  ],
  storageClassName: [
    { given: 'fast', beside: { size: Size.gibibytes(1) }, arrives: claim({ storageClassName: 'fast' }) },
    { given: 'slow', beside: { size: Size.gibibytes(1) }, arrives: claim({ storageClassName: 'slow' }) },
  ],
};
