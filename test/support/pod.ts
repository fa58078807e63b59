import type { Manifest } from './synth';

/** What the tests read of a container. */
export interface Container {
  readonly args?: string[];
  readonly env?: { name: string; value?: string; valueFrom?: { fieldRef: { fieldPath: string } } }[];
  readonly ports?: unknown[];
  readonly volumeMounts?: unknown[];
  readonly livenessProbe?: Probe;
}

/** What the tests read of a probe, in seconds. */
export interface Probe {
  readonly httpGet: { readonly path: string; readonly host?: string };
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
  readonly terminationGracePeriodSeconds: number;
}

/** What the tests read of a pod. */
export interface Pod {
  readonly containers: [Container];
  readonly nodeName?: string;
  readonly affinity?: unknown;
  readonly tolerations?: unknown[];
}

/** The pod of the one object of a kind. */
export function podOf(manifests: Manifest[], kind: string): Pod {
  const [manifest, ...others] = manifests.filter((candidate) => candidate.kind === kind);
  if (manifest === undefined || others.length > 0) {
    throw new Error(`one ${kind} was expected among ${manifests.map((candidate) => candidate.kind).join(', ')}`);
  }
  return (manifest as Manifest & { spec: { template: { spec: Pod } } }).spec.template.spec;
}

/** The environment that the kubelet gives to a container, with these values of the pod's own fields. */
export function envOf({ env = [] }: Container, fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => {
      const text = value ?? fields[valueFrom?.fieldRef.fieldPath ?? ''];
      if (text === undefined) {
        throw new Error(`the environment variable ${name} has no value`);
      }
      return [name, text];
    }),
  );
}
