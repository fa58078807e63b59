import type { Log } from '@cdk8s-dragonfly/command';
import type { ResponseRecord } from './response-record';

/** Writes one line a blob at level info, and one for anything else at level debug; answers that failed at level warn. */
export function responseLogger(log: Log): (record: ResponseRecord) => void {
  return (record) => {
    const isBlob = record.kind === 'blob' && record.method === 'GET';
    const level = record.error !== undefined ? 'warn' : isBlob ? 'info' : 'debug';
    // What a manifest names is for the pull that follows, and is long.
    log[level]({ ...record, names: undefined }, isBlob ? 'blob' : 'request');
  };
}
