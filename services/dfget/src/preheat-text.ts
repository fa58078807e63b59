import { formatBytes } from '@cdk8s-dragonfly/command';
import type { PreheatBlob, PreheatDocument } from '@cdk8s-dragonfly/protocol';

/** One line on how far a preheat is. */
export function progressLine({ status, blobs }: PreheatDocument): string {
  if (status === 'WAITING') return 'waiting for other preheats';
  if (blobs.length === 0) return 'reading the manifests';
  const wanted = blobs.filter(({ state }) => state !== 'SKIPPED');
  const done = wanted.filter(({ state }) => state === 'SUCCESS').length;
  const failed = wanted.filter(({ state }) => state === 'FAILED').length;
  const all = wanted.reduce((sum, { size = 0 }) => sum + size, 0);
  const troubles = failed === 0 ? '' : `, ${failed} failed`;
  return `${done} of ${wanted.length} blobs${troubles}, ${formatBytes(bytesOf(wanted))} of ${formatBytes(all)}`;
}

/** Why a preheat failed: one line a blob, or one for the whole. */
export function failureLines({ blobs, errMsg = 'the supernode does not say why' }: PreheatDocument): string[] {
  const failed = blobs.filter(({ state }) => state === 'FAILED');
  if (failed.length === 0) return [errMsg];
  return failed.map(({ digest, platforms = [], errMsg: why = errMsg }) => {
    const who = platforms.length === 0 ? '' : ` (${platforms.join(', ')})`;
    return `${digest}${who}: ${why}`;
  });
}

/** The last line: how it went. */
export function resultLine({ status, blobs }: PreheatDocument, seconds: number): string {
  const failed = blobs.filter(({ state }) => state === 'FAILED').length;
  const word = status === 'SUCCESS' ? 'SUCCESS' : 'FAIL';
  return `preheat ${word} blobs:${blobs.length} failed:${failed} bytes:${bytesOf(blobs)} cost:${seconds.toFixed(3)}s`;
}

function bytesOf(blobs: readonly PreheatBlob[]): number {
  return blobs.reduce((sum, { bytes }) => sum + bytes, 0);
}
