/** Files and folders inside the containers and on the nodes, the same as those of Dragonfly 0.x where it has them. */
export const PATHS = {
  /** The supernode's home: its store and its signing key. */
  supernodeHome: '/home/admin/supernode',
  /** Where the classic installation keeps the supernode's home on its node. */
  supernodeHostPath: '/data/dragonfly',
  supernodeConfig: '/etc/dragonfly/supernode.yml',
  /** The df-daemon's home: its store. */
  dfdaemonHome: '/root/.small-dragonfly',
  /** The same for a df-daemon that is not root, to whom root's home is closed. */
  dfdaemonUnprivilegedHome: '/var/lib/dragonfly',
  /** Where the classic installation keeps the df-daemon's home on its node. */
  dfdaemonHostPath: '/data/dfdaemon',
  dfdaemonConfig: '/etc/dragonfly/dfdaemon.yml',
  dfgetConfig: '/etc/dragonfly/dfget.yml',
  /** INI file with `[node]` `address=`: the supernodes that df-daemon and dfget use. */
  nodeConfig: '/etc/dragonfly.conf',
  /** The node's root file system inside the node-mirror's container. */
  hostRoot: '/host',
  /** dockerd's configuration on a node. */
  dockerConfig: '/etc/docker/daemon.json',
  /** containerd's configuration on a node. */
  containerdConfig: '/etc/containerd/config.toml',
  /** The folder for hosts.toml files on a node where containerd's configuration names none. */
  containerdHosts: '/etc/containerd/certs.d',
  /** The configuration of podman and CRI-O on a node; its drop-ins stand in the folder of this name and `.d`. */
  registriesConf: '/etc/containers/registries.conf',
  /** What a container says at its end, as Kubernetes reads it. */
  terminationLog: '/dev/termination-log',
  /** Where a pod finds the token and the CA of its service account. */
  serviceAccount: '/var/run/secrets/kubernetes.io/serviceaccount',
} as const;
