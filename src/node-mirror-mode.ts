/** What a node-mirror does on a node. */
export enum NodeMirrorMode {
  /** Points the container runtime at the mirror. */
  APPLY = 'apply',
  /** Logs what `APPLY` would change, and changes nothing. */
  PLAN = 'plan',
  /** Succeeds when the container runtime uses the mirror. */
  CHECK = 'check',
  /** Gives the runtime the configuration back that it had first. */
  RESTORE = 'restore',
}
