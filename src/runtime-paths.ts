/** Where the container runtimes of the nodes keep their files, each as an absolute path on the node. */
export interface RuntimePaths {
  /**
   * dockerd's configuration.
   *
   * @default - the one that it was started with, else `/etc/docker/daemon.json`
   */
  readonly dockerConfig?: string;
  /**
   * The socket of dockerd's API.
   *
   * @default - the one that it was told, else `/var/run/docker.sock`
   */
  readonly dockerSocket?: string;
  /**
   * dockerd's pid file.
   *
   * @default - the one that it was told, else `/var/run/docker.pid`
   */
  readonly dockerPidFile?: string;
  /**
   * containerd's configuration.
   *
   * @default - the one that it was started with, else `/etc/containerd/config.toml`
   */
  readonly containerdConfig?: string;
  /**
   * The socket of containerd's API.
   *
   * @default - the one of its configuration, else `/run/containerd/containerd.sock`
   */
  readonly containerdSocket?: string;
  /**
   * The folder for `hosts.toml` files where containerd's configuration names none.
   *
   * @default /etc/containerd/certs.d
   */
  readonly containerdHosts?: string;
  /**
   * The configuration of podman and CRI-O; what is added goes to the folder of this name and `.d`.
   *
   * @default /etc/containers/registries.conf
   */
  readonly registriesConf?: string;
}
