/** Controls of the Pod Security Standards that a container does not keep, or its pod for its sake, and why. */
export interface Exception {
  readonly who: string;
  /** The container, in pods that are not of the classic installation. */
  readonly container: string;
  readonly controls: readonly string[];
  readonly what: string;
  readonly why: string;
}

/** All there are; docs/constructs.md has the same rows. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    who: 'df-daemon',
    container: 'df-daemon',
    controls: ['Host Namespaces', 'Host Ports'],
    what: 'host network, host ports',
    why: "runtimes reach the mirror on their loopback, neighbours the node's address",
  },
  ...['df-daemon', 'supernode'].map((container) => ({
    who: 'df-daemon, supernode, on a folder of the node',
    container,
    controls: ['HostPath Volumes', 'Volume Types', 'Running as Non-root', 'Running as Non-root user'],
    what: 'hostPath, user 0',
    why: 'blobs outlive the pod; the folder belongs to root',
  })),
  {
    who: 'node-mirror',
    container: 'node-mirror',
    controls: [
      'Privileged Containers',
      'HostPath Volumes',
      'Volume Types',
      'Privilege Escalation',
      'Running as Non-root',
      'Running as Non-root user',
      'Seccomp',
      'Capabilities',
    ],
    what: 'privileged, hostPath `/`, root',
    why: "writes the runtimes' files with owner and mode, fsync and rename",
  },
  {
    who: 'node-mirror',
    container: 'node-mirror',
    controls: ['Host Namespaces'],
    what: 'hostPID',
    why: 'sends dockerd and CRI-O their signal, and has systemd restart containerd where `restart` allows it',
  },
];
