import type { Kubectl } from './kubectl';
import type { KubeObject } from './objects';

/** What of an installation a cluster can be given, and the names of what it does not know. */
export interface Known {
  readonly objects: readonly KubeObject[];
  readonly lacking: readonly string[];
}

/** Leaves out the kinds that a cluster does not know, and the fields: kubectl refuses both, and the API server would drop the latter. */
export async function knownTo(kubectl: Kubectl, objects: readonly KubeObject[]): Promise<Known> {
  const versions = new Set((await kubectl.ok(['api-versions'])).trim().split('\n'));
  const unknown = objects.filter(({ apiVersion }) => !versions.has(apiVersion));
  const lacking = [...new Set(unknown.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))];
  const rest = objects.filter((object) => !unknown.includes(object));
  const { code } = await kubectl.any(['explain', `pod.spec.containers.livenessProbe.${PROBE_GRACE}`]);
  if (code === 0) return { objects: rest, lacking };
  const text = JSON.stringify(rest);
  const without = JSON.parse(text, withoutProbeGrace) as KubeObject[];
  return {
    objects: without,
    lacking: JSON.stringify(without) === text ? lacking : [...lacking, `${PROBE_GRACE} of a livenessProbe`],
  };
}

/** Since Kubernetes 1.22. */
const PROBE_GRACE = 'terminationGracePeriodSeconds';

function withoutProbeGrace(key: string, value: unknown): unknown {
  if (key !== 'livenessProbe' || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([field]) => field !== PROBE_GRACE));
}
