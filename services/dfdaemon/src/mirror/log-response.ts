import type { Log } from '@cdk8s-dragonfly/command';
import type { ResponseRecord } from './response-record';

/**
 * Writes one line a blob at level info, and one for anything else at level debug; answers that failed, and manifests of a registry that cannot
 * be asked, at level warn.
 */
export function responseLogger(log: Pick<Log, 'warn' | 'info' | 'debug'>): (record: ResponseRecord) => void {
  return (record) => {
    const isBlob = record.kind === 'blob' && record.method === 'GET';
    const isStale = record.manifest === 'stale';
    const level = record.error !== undefined || isStale ? 'warn' : isBlob ? 'info' : 'debug';
    const message = isStale ? 'the registry cannot be asked: its manifest is what was last seen' : 'request';
    // What a manifest names is for the pull that follows, and is long.
    log[level]({ ...record, names: undefined }, isBlob ? 'blob' : message);
  };
}
