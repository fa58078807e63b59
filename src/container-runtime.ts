import { NODE_MIRROR } from './contract/index';

const KNOWN: readonly string[] = NODE_MIRROR.flags.runtime.choices;

/** A container runtime that a node-mirror can point at the df-daemon. */
export class ContainerRuntime {
  /** Each that is found on the node. */
  public static readonly AUTO = new ContainerRuntime('auto');
  /** dockerd, by `registry-mirrors` of `/etc/docker/daemon.json`; for images of docker.io alone. */
  public static readonly DOCKER = new ContainerRuntime('docker');
  /** containerd, by `hosts.toml` files. */
  public static readonly CONTAINERD = new ContainerRuntime('containerd');
  /** CRI-O, by a file in `registries.conf.d`. */
  public static readonly CRIO = new ContainerRuntime('crio');
  /** Podman, by the same. */
  public static readonly PODMAN = new ContainerRuntime('podman');

  /**
   * A runtime by the name that `node-mirror --runtime` knows.
   *
   * @param name such as `docker`
   */
  public static of(name: string): ContainerRuntime {
    return new ContainerRuntime(name);
  }

  private constructor(
    /** The name that `node-mirror --runtime` knows. */
    public readonly name: string,
  ) {
    if (!KNOWN.includes(name)) {
      throw new Error(`"${name}" is no container runtime that a node-mirror knows: use one of ${KNOWN.join(', ')}.`);
    }
  }
}
