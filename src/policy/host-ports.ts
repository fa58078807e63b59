import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';

/** What a DaemonSet takes of the nodes it runs on. */
export interface HostPorts {
  /** Ports by the beginning of the prop that sets them. */
  readonly ports: { readonly mirror: number; readonly peer: number; readonly ops: number };
  /** The labels that its nodes have. */
  readonly nodeSelector: Readonly<Record<string, string>>;
}

const taken = new WeakMap<Chart, { readonly scope: IConstruct; readonly hostPorts: HostPorts }[]>();

/** Has a DaemonSet refuse, when the chart is synthesized, a port that another of the chart takes on the same nodes. */
export function refusePortClashes(scope: IConstruct, hostPorts: HostPorts): void {
  const chart = Chart.of(scope);
  const others = [...(taken.get(chart) ?? [])];
  taken.set(chart, [...others, { scope, hostPorts }]);
  scope.node.addValidation({
    validate: () =>
      others
        .filter((other) => mayMeet(hostPorts.nodeSelector, other.hostPorts.nodeSelector))
        .flatMap((other) => clashes(hostPorts, other.scope, other.hostPorts)),
  });
}

/** Whether a node may have both sets of labels. */
function mayMeet(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.entries(a).every(([key, value]) => b[key] === undefined || b[key] === value);
}

function clashes({ ports }: HostPorts, scope: IConstruct, other: HostPorts): string[] {
  return Object.entries(ports).flatMap(([name, port]) =>
    Object.entries(other.ports)
      .filter(([, otherPort]) => otherPort === port)
      .map(
        ([otherName]) =>
          `${name}Port is ${port}, which ${scope.node.path} has as its ${otherName}Port on the same nodes: ` +
          'give one of the two other ports, or keep them apart with a nodeSelector that has one key with two values.',
      ),
  );
}
