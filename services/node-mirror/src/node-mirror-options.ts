import { UsageError } from '@cdk8s-dragonfly/command';
import type { CommandValues } from '@cdk8s-dragonfly/command';
import type { NODE_MIRROR } from '@cdk8s-dragonfly/contract';
import { ContainerdRuntime } from './containerd/containerd-runtime';
import { CrioRuntime, PodmanRuntime } from './containers/containers-runtime';
import { findCrio } from './containers/crio';
import { DockerRuntime } from './docker/docker-runtime';
import { insecureRegistries, proxyUrl } from './docker/docker-options';
import { mirrorUrl } from './mirror-url';
import type { NodeMirrorSettings } from './node-mirror';
import { readRegistries } from './registry';
import type { Runtime, RuntimeName } from './runtime';

type Values = CommandValues<typeof NODE_MIRROR>;

/** CRI-O before podman: both read the same drop-ins, and CRI-O has to be told of them. */
const ALL: readonly RuntimeName[] = ['docker', 'containerd', 'crio', 'podman'];

function isAuto(values: Values): boolean {
  return values.runtime.includes('auto');
}

/** @throws UsageError for values that do not go together, or are not what they should be */
export function nodeMirrorSettings(values: Values): NodeMirrorSettings {
  const { readyz } = values;
  if (readyz !== 'none' && !(/^https?:\/\//i.test(readyz) && URL.canParse(readyz))) {
    throw new UsageError(`--readyz '${readyz}' is neither an absolute http or https URL nor none`);
  }
  if (values.removeTaint !== undefined && values.nodeName === undefined) {
    throw new UsageError(
      '--remove-taint needs the name of the node: give --node-name, or set the environment variable NODE_NAME',
    );
  }
  return {
    mirror: mirrorUrl(values.mirror.href),
    waitMs: values.wait,
    ...(readyz === 'none' ? {} : { readyz }),
    reloadTimeoutMs: values.reloadTimeout,
    auto: isAuto(values),
  };
}

/**
 * The runtimes that a command line names, in the order in which they are worked on.
 *
 * @param proc where the process file system is mounted
 * @throws UsageError
 */
export function runtimesOf(values: Values, proc = '/proc'): readonly Runtime[] {
  const { hostRoot, restart } = values;
  const mirror = mirrorUrl(values.mirror.href);
  const registries = readRegistries(values.registry);
  const containers = { hostRoot, registriesConf: values.registriesConf, mirror, registries };
  const make: Readonly<Record<RuntimeName, () => Runtime>> = {
    docker: () =>
      new DockerRuntime({
        hostRoot,
        proc,
        ...(values.dockerConfig === undefined ? {} : { config: values.dockerConfig }),
        ...(values.dockerSocket === undefined ? {} : { socket: values.dockerSocket }),
        ...(values.dockerPidFile === undefined ? {} : { pidFile: values.dockerPidFile }),
        mirror,
        registries: registries.map(({ host }) => host),
        insecure: insecureRegistries(values.dockerInsecureRegistry),
        ...(values.dockerProxy === undefined ? {} : { proxy: proxyUrl(values.dockerProxy.href) }),
        restart,
      }),
    containerd: () =>
      new ContainerdRuntime({
        hostRoot,
        proc,
        ...(values.containerdConfig === undefined ? {} : { config: values.containerdConfig }),
        ...(values.containerdSocket === undefined ? {} : { socket: values.containerdSocket }),
        hosts: values.containerdHosts,
        mirror,
        registries,
        restart,
        auto: isAuto(values),
      }),
    crio: () => new CrioRuntime(containers, async (socket) => findCrio(socket, proc)),
    podman: () => new PodmanRuntime(containers),
  };
  return ALL.filter((name) => isAuto(values) || values.runtime.includes(name)).map((name) => make[name]());
}
