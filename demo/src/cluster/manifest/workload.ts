import type { Container } from './container';
import { readContainer } from './container';
import type { Field } from './field';
import type { Volume } from './volume';
import { readVolume } from './volume';

/** A Deployment of one pod, or a DaemonSet of one pod a node. */
export interface Workload {
  readonly kind: 'Deployment' | 'DaemonSet';
  readonly name: string;
  readonly namespace: string;
  /** The labels of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  readonly container: Container;
  readonly volumes: ReadonlyMap<string, Volume>;
}

/** What a cluster does for pods, and a local process goes without. */
const NOT_APPLIED = [
  'affinity',
  'automountServiceAccountToken',
  'dnsPolicy',
  'enableServiceLinks',
  'hostNetwork',
  'nodeSelector',
  'priorityClassName',
  'restartPolicy',
  'securityContext',
  'serviceAccountName',
  'terminationGracePeriodSeconds',
  'tolerations',
];

/** @throws CommandError for anything that local processes cannot be */
export function readWorkload(kind: Workload['kind'], object: Field): Workload {
  const spec = object.get('spec');
  const template = spec.get('template');
  const pod = template.get('spec');
  const replicas = spec.get('replicas');
  if (replicas.value !== undefined && replicas.integer() !== 1) {
    throw object.refusal(`${replicas.place} is ${replicas.integer()}, and a Deployment is one process here`);
  }
  pod.onlyMembers(['containers', 'volumes', ...NOT_APPLIED]);
  const [container, ...more] = pod.get('containers').items();
  if (!container || more.length > 0) throw object.refusal(`${pod.place} must have one container`);
  return {
    kind,
    name: object.get('metadata').get('name').text(),
    namespace: object.get('metadata').get('namespace').optionalText() ?? 'default',
    labels: template.get('metadata').get('labels').record(),
    container: readContainer(container),
    volumes: new Map(pod.get('volumes').items().map(readVolume)),
  };
}
