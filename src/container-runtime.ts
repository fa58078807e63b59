import { NODE_MIRROR } from './contract/index';

const KNOWN: readonly string[] = NODE_MIRROR.flags.runtime.choices;

/** A container runtime that a node-mirror can point at the df-daemon. */
export class ContainerRuntime {
  /** dockerd, by `registry-mirrors` of `/etc/docker/daemon.json`. */
  public static readonly DOCKER = new ContainerRuntime('docker');

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
