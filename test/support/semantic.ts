import type { Manifest } from './synth';

type Fields = Readonly<Record<string, unknown>>;

/** What the API server fills in, by the last two parts of the path of the object that has the field; `*` is an entry of a list. */
const DEFAULTS: Readonly<Record<string, (fields: Fields) => Fields>> = {
  'Deployment.spec': () => ({ replicas: 1 }),
  'Service.spec': () => ({ type: 'ClusterIP', sessionAffinity: 'None' }),
  'template.spec': () => ({ dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', hostNetwork: false }),
  'ports.*': (port) => ({ protocol: 'TCP', ...('port' in port ? { targetPort: port['port'] } : {}) }),
  'volumeMounts.*': () => ({ readOnly: false }),
  '*.hostPath': () => ({ type: '' }),
  '*.configMap': () => ({ defaultMode: 0o644 }),
  'tolerations.*': () => ({ operator: 'Equal' }),
};

/**
 * An object in a form in which two that mean the same to the API server are equal, and no other two: keys and lists sorted, what the
 * API server fills in filled in. Lists of a container's `command` and `args` keep their order.
 */
export function normalised(manifest: Manifest): unknown {
  return normalise(manifest, [manifest.kind]);
}

function normalise(value: unknown, path: string[]): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normalise(item, [...path, '*']));
    const ordered = ['command', 'args'].includes(path.at(-1) ?? '');
    return ordered ? items : items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const fields = value as Fields;
  const filled = { ...DEFAULTS[path.slice(-2).join('.')]?.(fields), ...fields };
  return Object.fromEntries(
    Object.entries(filled)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, normalise(field, [...path, key])]),
  );
}
