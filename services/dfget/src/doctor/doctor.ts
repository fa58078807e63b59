import { UsageError } from '@cdk8s-dragonfly/command';
import type { CommandContext, CommandValues } from '@cdk8s-dragonfly/command';
import type { DFGET_DOCTOR } from '@cdk8s-dragonfly/contract';

import { DaemonClient } from './daemon-client';
import { reached, readiness, registries, supernodes } from './daemon-findings';
import { diagnosisOf, diagnosisText } from './finding';
import type { Diagnosis, Finding } from './finding';
import { imageName } from './image-name';
import { runtimes } from './runtime-findings';
import { BlobTest } from './test-blob';

/** What the command line of `dfget doctor` says. */
export type DoctorValues = CommandValues<typeof DFGET_DOCTOR>;

/**
 * Says what is wrong on this node, and what to do about it; 0 when nothing fails, else 1.
 *
 * @param proc where the process file system is mounted
 */
export async function examineNode(
  values: DoctorValues,
  { signal, stdout }: CommandContext,
  proc = '/proc',
): Promise<number> {
  const diagnosis = await examine(values, signal, proc);
  stdout.write(values.output === 'json' ? `${JSON.stringify(diagnosis, undefined, 2)}\n` : diagnosisText(diagnosis));
  return diagnosis.outcome === 'fail' ? 1 : 0;
}

async function examine(values: DoctorValues, signal: AbortSignal, proc: string): Promise<Diagnosis> {
  const { mirror, readyz, timeout } = values;
  if (mirror.pathname !== '/' || mirror.search !== '' || mirror.username !== '') {
    throw new UsageError('--mirror must be scheme, host and port alone, such as http://127.0.0.1:65001');
  }
  const image = values.image === undefined ? undefined : imageName(values.image);
  const daemon = new DaemonClient(mirror, timeout, signal);
  // At once: one that hangs is waited for only once.
  const [ready, { reach, finding }] = await Promise.all([readiness(daemon, readyz), reached(daemon)]);
  const findings: Finding[] = [ready, finding];
  if (reach === undefined) {
    for (const subject of ['supernode', 'registry', 'test blob'] as const) {
      findings.push({ subject, state: 'skip', says: 'the df-daemon would have to be asked' });
    }
  } else {
    findings.push(...supernodes(reach), ...registries(reach));
    findings.push(image === undefined ? untested : await new BlobTest(daemon, image).run(reach));
  }
  findings.push(...(await runtimes(values, proc)));
  return diagnosisOf(findings);
}

const untested: Finding = {
  subject: 'test blob',
  state: 'skip',
  says: 'no image was named to test with',
  advice: 'give --image IMAGE, best one that other nodes have pulled and this one has not',
};
