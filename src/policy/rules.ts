import { templateOf } from './manifest';
import type { Container, Labels, Manifest, PodSpec, Spec } from './manifest';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const PORT_FIELDS = ['port', 'containerPort', 'hostPort', 'nodePort', 'targetPort'];
/** Kinds whose name is part of a host name or a label. */
const LABEL_NAMED = ['Service', 'StatefulSet', 'DaemonSet', 'Deployment', 'Job', 'Namespace'];

/**
 * What the API server, or a node, would refuse of an object although its types are right.
 *
 * @returns a sentence a fault: what is wrong, and what to write instead.
 */
export function faultsOf(manifest: Manifest): string[] {
  const template = templateOf(manifest);
  return [
    ...nameFaults(manifest),
    ...portFaults(manifest.spec?.ports ?? [], 'spec.ports'),
    ...(template === undefined ? [] : [...selectorFaults(template), ...podFaults(template)]),
  ];
}

/**
 * Selectors of services, budgets and policies that find none of the pods that are made beside them.
 *
 * @param manifests all objects of one construct
 */
export function lostSelectors(manifests: readonly Manifest[]): string[] {
  const pods = manifests.flatMap((manifest) => {
    const labels = templateOf(manifest)?.template?.metadata?.labels;
    return labels === undefined ? [] : [labels];
  });
  return manifests
    .filter((manifest) => templateOf(manifest) === undefined)
    .flatMap(({ kind, metadata, spec }) => {
      const selector = spec?.podSelector?.matchLabels ?? labelsOf(spec?.selector);
      return selector === undefined || pods.some((labels) => contains(labels, selector))
        ? []
        : [
            `the selector of the ${kind} ${metadata.name ?? ''} (${show(selector)}) matches no pod that is made here: ` +
              'give the pod template these labels, or select by those that it has.',
          ];
    });
}

function nameFaults({ kind, metadata: { name } }: Manifest): string[] {
  const most = LABEL_NAMED.includes(kind) ? 63 : 253;
  return name !== undefined && name.length <= most && SUBDOMAIN.test(name)
    ? []
    : [`the ${kind} has the name "${name ?? ''}": use at most ${most} lower-case letters, digits, dashes and dots.`];
}

function selectorFaults({ selector, template }: Spec): string[] {
  const wanted = labelsOf(selector);
  const labels = template?.metadata?.labels ?? {};
  return wanted === undefined || contains(labels, wanted)
    ? []
    : [`spec.selector (${show(wanted)}) is not within the labels of its pods (${show(labels)}): give them the same.`];
}

function podFaults({ template, volumeClaimTemplates = [] }: Spec): string[] {
  const pod: PodSpec = template?.spec ?? {};
  const volumes = [
    ...(pod.volumes ?? []).map(({ name }) => name),
    ...volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? ''),
  ];
  const containers = [...(pod.initContainers ?? []), ...(pod.containers ?? [])];
  return [
    ...(containers.length === 0 ? ['the pod has no container: give it one.'] : []),
    ...containers.flatMap((container) => containerFaults(container, volumes)),
    ...(pod.tolerations ?? [])
      .filter(({ operator, value }) => operator === 'Exists' && value !== undefined && value !== '')
      .map(
        ({ value }) =>
          `a toleration has operator Exists and the value "${value ?? ''}": leave out the value, or use Equal.`,
      ),
  ];
}

function containerFaults(container: Container, volumes: readonly string[]): string[] {
  const { name, image, ports = [], volumeMounts = [], securityContext = {} } = container;
  const where = `the container ${name}`;
  return [
    ...(image === undefined || image === '' ? [`${where} has no image: name one.`] : []),
    ...portFaults(ports, `${where}: ports`),
    ...volumeMounts.flatMap((mount) => [
      ...(volumes.includes(mount.name)
        ? []
        : [
            `${where} mounts "${mount.name}", and the pod has no such volume: it has ${volumes.length === 0 ? 'none' : volumes.join(', ')}.`,
          ]),
      ...(mount.subPath?.startsWith('/') === true || mount.subPath?.split('/').includes('..') === true
        ? [
            `${where} has the subPath "${mount.subPath}": use a path within the volume, without a slash in front and "..".`,
          ]
        : []),
    ]),
    ...(securityContext.privileged === true && securityContext.allowPrivilegeEscalation === false
      ? [`${where} is privileged and may not escalate privileges: leave out allowPrivilegeEscalation.`]
      : []),
  ];
}

function portFaults(ports: readonly Readonly<Record<string, unknown>>[], where: string): string[] {
  return ports.flatMap((port, i) =>
    PORT_FIELDS.filter((field) => typeof port[field] === 'number')
      .filter((field) => !(Number.isInteger(port[field]) && Number(port[field]) >= 1 && Number(port[field]) <= 65535))
      .map((field) => `${where}[${i}].${field} is ${String(port[field])}: use 1 to 65535.`),
  );
}

function labelsOf(selector: Spec['selector']): Labels | undefined {
  if (selector === undefined) {
    return undefined;
  }
  return 'matchLabels' in selector && typeof selector.matchLabels === 'object'
    ? selector.matchLabels
    : (selector as Labels);
}

function contains(labels: Labels, selector: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function show(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
