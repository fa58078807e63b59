import { formatBytes } from '@cdk8s-dragonfly/command';
import type { BlobUnavailable, Traffic } from '@cdk8s-dragonfly/engine';

/** Exit codes of the original (Dragonfly 0.x protocol, 1.5): the low 8 bits of 1103 and 1104. */
const EXIT_NEEDS_AUTH = 79;
const EXIT_FAILED = 80;

/** Why the origin was asked, in the original's last line (Dragonfly 0.x protocol, 4.5). */
const REASON = {
  none: 0,
  registerFailed: 1,
  md5NotMatch: 2,
  downloadError: 3,
  noSpace: 4,
  noNode: 8,
  userSpecified: 100,
};

/** Added to a reason when the origin was not to be asked. */
const FORBIDDEN = 1000;

/** The circumstances of a download that has ended. */
export interface Circumstances {
  readonly traffic: Traffic;
  readonly pattern: 'p2p' | 'cdn' | 'source';
  /** Whether there was a supernode to ask. */
  readonly hasSupernode: boolean;
  /** From the start of the process on, in milliseconds. */
  readonly ms: number;
}

/** The last two lines of a download that succeeded. */
export function successLines(path: string, length: number, resumed: number, how: Circumstances): string {
  const { peer, supernode, origin } = how.traffic;
  const sources = [
    `${formatBytes(peer)} from peers`,
    `${formatBytes(supernode)} from the supernode`,
    `${formatBytes(origin)} from the origin`,
    ...(resumed > 0 ? [`${formatBytes(resumed)} from an earlier run`] : []),
  ];
  const reason = origin === 0 ? REASON.none : reasonOf(how, REASON.registerFailed);
  return (
    `${path}: ${formatBytes(length)} (${sources.join(', ')})\n` +
    `download SUCCESS(0) cost:${seconds(how.ms)} length:${length} reason:${reason}\n`
  );
}

/** The exit code and the last line of a download that failed. */
export function failure(
  problem: Pick<BlobUnavailable, 'reason' | 'status'>,
  how: Circumstances,
): { readonly code: number; readonly line: string } {
  const code = problem.status === 401 || problem.status === 407 ? EXIT_NEEDS_AUTH : EXIT_FAILED;
  let reason = reasonOf(how, REASON.downloadError);
  if (problem.reason === 'unstorable') reason = REASON.noSpace + FORBIDDEN;
  if (problem.reason === 'digest-mismatch') reason = REASON.md5NotMatch;
  if (problem.reason === 'origin-forbidden') {
    const { peer, supernode } = how.traffic;
    reason = FORBIDDEN + reasonOf(how, peer + supernode === 0 ? REASON.registerFailed : REASON.downloadError);
  }
  return { code, line: `download FAIL(${1024 + code}) cost:${seconds(how.ms)} length:0 reason:${reason}\n` };
}

function reasonOf({ pattern, hasSupernode }: Circumstances, otherwise: number): number {
  if (pattern === 'source') return REASON.userSpecified;
  return hasSupernode ? otherwise : REASON.noNode;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)}s`;
}
