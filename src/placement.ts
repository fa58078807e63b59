/** The nodes that a supernode may run on. */
export enum Placement {
  /** Nodes with a `control-plane` or a `master` role label; their taints are tolerated. */
  CONTROL_PLANE = 'control-plane',
  /** Any node without taints: for clusters that hide their control plane. Its data stays on the node that it left. */
  ANY = 'any',
}
