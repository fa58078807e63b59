/** What dockerd of a node is given beside the mirror. Only where runtimes are docker or `ContainerRuntime.AUTO`. */
export interface DockerConfiguration {
  /**
   * Registries to add to dockerd's `insecure-registries`, as `HOST[:PORT]` or as a network such as `10.0.0.0/8`: it does not check their
   * certificates, and falls back to http. For a mirror by https outside of the node, or a registry that dockerd asks itself.
   *
   * @default - none
   */
  readonly insecureRegistries?: string[];
  /**
   * What dockerd asks every registry through: a URL of scheme, host and port, without credentials, such as `http://127.0.0.1:65001` for a
   * df-daemon with `proxy`. dockerd has no way around a proxy that is down. It needs dockerd 23 or later with live-restore, and `restart`:
   * dockerd is restarted when the proxy comes and when it goes; with `configureRuntime` that is each time the df-daemon's pod starts and ends.
   *
   * @default - none
   */
  readonly proxy?: string;
}
