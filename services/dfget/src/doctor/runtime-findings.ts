import { parseCommand } from '@cdk8s-dragonfly/command';
import { NODE_MIRROR } from '@cdk8s-dragonfly/contract';
import { NodeMirror, nodeMirrorSettings, runtimesOf } from '@cdk8s-dragonfly/node-mirror';
import type { RuntimeReport } from '@cdk8s-dragonfly/node-mirror';

import type { DoctorValues } from './doctor';
import type { Finding } from './finding';

/** Whether the container runtimes of this node are pointed at the mirror, as `node-mirror check` sees it. */
export async function runtimes(values: DoctorValues): Promise<readonly Finding[]> {
  const subject = 'runtime';
  const { runtime, mirror, hostRoot, registry } = values;
  if (runtime.includes('none')) return [{ subject, state: 'skip', says: 'not looked at (--runtime none)' }];
  const argv = [
    'check',
    '--mirror',
    mirror.href,
    '--host-root',
    hostRoot,
    ...runtime.flatMap((one) => ['--runtime', one]),
  ];
  const given = parseCommand(NODE_MIRROR, [...argv, ...registry.flatMap((one) => ['--registry', one])], { env: {} });
  const report = await new NodeMirror(runtimesOf(given), nodeMirrorSettings(given)).check('configured');
  const there = report.runtimes.filter(({ outcome }) => outcome !== 'absent');
  if (there.length === 0) {
    return [
      {
        subject,
        state: 'skip',
        says: `none was found below ${hostRoot}`,
        advice: `run dfget doctor on the node itself, or in a pod with hostPID that has the root of the node mounted, with --host-root`,
      },
    ];
  }
  return there.map((one) => findingOf(one, mirror.origin));
}

function findingOf(
  { runtime, version, outcome, reason = '', unseen, notes = [] }: RuntimeReport,
  mirror: string,
): Finding {
  const subject = 'runtime';
  const shown = version === undefined ? runtime : `${runtime} ${version}`;
  const noted = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  if (outcome === 'refused') {
    return {
      subject,
      state: 'fail',
      says: `${shown} is not pointed at ${mirror}: ${withoutPromise(reason)}${noted}`,
      advice:
        'node-mirror plan shows what is to change, node-mirror apply changes it; in Kubernetes see the log of the node-mirror; if it is no runtime of this node, leave it out of --runtime',
    };
  }
  if (unseen === undefined) return { subject, state: 'ok', says: `${shown} is pointed at ${mirror}${noted}` };
  return {
    subject,
    state: 'warn',
    says: `the files of ${shown} point it at ${mirror}, but it cannot be asked: ${withoutPromise(unseen)}${noted}`,
    advice:
      'start it; if it runs, run dfget doctor on the node itself, or in a pod with hostPID, to see what it has taken',
  };
}

/** A reason of node-mirror, without what goes without saying here. */
function withoutPromise(reason: string): string {
  return reason.replace(/; nothing was changed$/, '');
}
