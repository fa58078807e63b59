import { posix } from 'node:path';
import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';

/** What pods take of the nodes they run on. */
export interface NodeShare {
  /** Ports by the beginning of the prop that sets them; none for pods on a network of their own. */
  readonly ports:
    { readonly mirror: number; readonly peer: number; readonly ops: number } | Readonly<Record<string, never>>;
  /** The folder of its blobs; undefined where that is no folder of the node. */
  readonly folder: string | undefined;
  /** The labels that their nodes have. */
  readonly nodeSelector: Readonly<Record<string, string>>;
}

const taken = new WeakMap<Chart, { readonly scope: IConstruct; readonly share: NodeShare }[]>();

const APART = 'or keep them apart with a nodeSelector that has one key with two values.';

/** Has a construct refuse, when the chart is synthesized, a port or a folder that another of the chart takes on the same nodes. */
export function refuseSharing(scope: IConstruct, share: NodeShare): void {
  const chart = Chart.of(scope);
  const others = [...(taken.get(chart) ?? [])];
  taken.set(chart, [...others, { scope, share }]);
  scope.node.addValidation({
    validate: () =>
      others
        .filter((other) => mayMeet(share.nodeSelector, other.share.nodeSelector))
        .flatMap((other) => [
          ...samePorts(share, other.scope, other.share),
          ...sameFolder(share, other.scope, other.share),
        ]),
  });
}

/** Whether a node may have both sets of labels. */
function mayMeet(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.entries(a).every(([key, value]) => b[key] === undefined || b[key] === value);
}

function samePorts({ ports }: NodeShare, scope: IConstruct, other: NodeShare): string[] {
  return Object.entries(ports).flatMap(([name, port]) =>
    Object.entries(other.ports)
      .filter(([, otherPort]) => otherPort === port)
      .map(
        ([otherName]) =>
          `${name}Port is ${port}, which ${scope.node.path} has as its ${otherName}Port on the same nodes: ` +
          `give one of the two other ports, ${APART}`,
      ),
  );
}

/** Two stores in one folder: the second process ends itself. */
function sameFolder({ folder }: NodeShare, scope: IConstruct, other: NodeShare): string[] {
  return folder === undefined || other.folder === undefined || plain(folder) !== plain(other.folder)
    ? []
    : [
        `storage is the folder ${folder}, which ${scope.node.path} has on the same nodes: ` +
          `give one of the two another by Storage.hostPath(), ${APART}`,
      ];
}

/** Without what makes no difference to the node. */
function plain(path: string): string {
  return posix.join(path, '/');
}
