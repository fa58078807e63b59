/** A Kubernetes object as it is written, as far as the rules read it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: Spec;
}

export interface Metadata {
  readonly name?: string;
  readonly labels?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

export interface Spec {
  readonly selector?: Labels | { readonly matchLabels?: Labels };
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly template?: { readonly metadata?: Metadata; readonly spec?: PodSpec };
  readonly jobTemplate?: { readonly spec?: Spec };
  readonly ports?: readonly Readonly<Record<string, unknown>>[];
  readonly volumeClaimTemplates?: readonly { readonly metadata?: Metadata }[];
}

export interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly name: string }[];
  readonly tolerations?: readonly { readonly operator?: string; readonly value?: string }[];
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly ports?: readonly Readonly<Record<string, unknown>>[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
  readonly securityContext?: { readonly privileged?: boolean; readonly allowPrivilegeEscalation?: boolean };
}

/** The pods that an object makes, and the claims that are volumes of theirs by name. */
export function templateOf(manifest: Manifest): Spec | undefined {
  const { spec } = manifest;
  return spec?.jobTemplate?.spec ?? (spec?.template === undefined ? undefined : spec);
}
