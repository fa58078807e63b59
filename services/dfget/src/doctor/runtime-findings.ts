import { parseCommand } from '@cdk8s-dragonfly/command';
import { NODE_MIRROR } from '@cdk8s-dragonfly/contract';
import { NodeMirror, nodeMirrorSettings, runtimesOf } from '@cdk8s-dragonfly/node-mirror';
import type { RuntimeReport } from '@cdk8s-dragonfly/node-mirror';

import type { DoctorValues } from './doctor';
import type { Finding } from './finding';

/**
 * Whether the container runtimes of this node are pointed at the mirror, as `node-mirror check` sees it.
 *
 * @param proc where the process file system is mounted
 */
export async function runtimes(values: DoctorValues, proc: string): Promise<readonly Finding[]> {
  const subject = 'runtime';
  const { runtime, mirror, hostRoot } = values;
  if (runtime.includes('none')) return [{ subject, state: 'skip', says: 'not looked at (--runtime none)' }];
  const given = parseCommand(NODE_MIRROR, ['check', ...PASSED_ON.flatMap((key) => passedOn(key, values))], { env: {} });
  // What more the node-mirror of this node was told, it alone knows.
  const scope = { unseen: 'configured', former: 'stays' } as const;
  const report = await new NodeMirror(runtimesOf(given, proc), nodeMirrorSettings(given)).check(scope);
  const there = report.runtimes.filter(({ outcome }) => outcome !== 'absent');
  if (there.length === 0) {
    const looked = report.runtimes.map(({ runtime: name, reason = '' }) => `${name}: ${withoutPromise(reason)}`);
    return [
      {
        subject,
        state: 'skip',
        says: `none was found below ${hostRoot} (${looked.join('; ')})`,
        advice: `run dfget doctor on the node itself, or in a pod with hostPID that has the root of the node mounted, with --host-root`,
      },
    ];
  }
  return there.map((one) => findingOf(one, mirror.origin));
}

/** The flags of node-mirror that say which runtimes are meant, and where they are. */
const PASSED_ON = [
  'runtime',
  'registry',
  'mirror',
  'hostRoot',
  'dockerConfig',
  'dockerSocket',
  'dockerPidFile',
  'containerdConfig',
  'containerdSocket',
  'containerdHosts',
  'registriesConf',
] as const;

function passedOn(key: (typeof PASSED_ON)[number], values: DoctorValues): readonly string[] {
  const value = values[key];
  const texts = value === undefined ? [] : typeof value === 'string' ? [value] : 'href' in value ? [value.href] : value;
  return texts.flatMap((text) => [`--${NODE_MIRROR.flags[key].flag}`, text]);
}

function findingOf(
  { runtime, version, outcome, reason = '', unseen, notes = [], files }: RuntimeReport,
  mirror: string,
): Finding {
  const subject = 'runtime';
  const shown = version === undefined ? runtime : `${runtime} ${version}`;
  const noted = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  if (outcome === 'refused' && reason === unseen) {
    return {
      subject,
      state: 'fail',
      says: `whether ${shown} is pointed at ${mirror} cannot be told: ${withoutPromise(reason)}${noted}`,
      advice:
        'correct that and run dfget doctor again; as root on the node itself, or in a privileged pod with hostPID, it sees what runs',
    };
  }
  if (outcome === 'refused') {
    return {
      subject,
      state: 'fail',
      says: `${shown} is not pointed at ${mirror}: ${withoutPromise(reason)}${noted}`,
      advice:
        'node-mirror plan shows what is to change, node-mirror apply changes it; in Kubernetes see the log of the node-mirror; if it is no runtime of this node, leave it out of --runtime',
    };
  }
  const where = files.map(({ file }) => file).join(', ');
  if (unseen === undefined)
    return { subject, state: 'ok', says: `${shown} is pointed at ${mirror} by ${where}${noted}` };
  return {
    subject,
    state: 'warn',
    says: `the files of ${shown} (${where}) point it at ${mirror}, but it cannot be asked: ${withoutPromise(unseen)}${noted}`,
    advice:
      'start it; if it runs, run dfget doctor on the node itself, or in a pod with hostPID, to see what it has taken',
  };
}

/** A reason of node-mirror, without what goes without saying here. */
function withoutPromise(reason: string): string {
  return reason.replace(/; nothing was changed$/, '');
}
