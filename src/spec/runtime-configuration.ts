import { NODE_MIRROR } from '../contract/index';
import type { RuntimeConfiguration } from '../runtime-configuration-props';
import type { RuntimePaths } from '../runtime-paths';
import { checkDockerHub, dockerSpec } from './docker';
import type { DockerSpec } from './docker';
import { durationText, written } from './durations';
import { checkImage } from './image';
import { checkTaint } from './metadata';
import { namedRegistries } from './registry';
import type { RegistrySpec } from './registry';
import { runtimePathsSpec } from './runtime-paths';
import { checkRuntimes } from './runtimes';
import { workloadSpec } from './workload';
import type { WorkloadSpec } from './workload';

/** Everything that decides what the container beside a df-daemon looks like. */
export interface RuntimeConfigurationSpec {
  readonly workload: WorkloadSpec & { readonly image: string };
  readonly runtimes: string[];
  readonly restart: boolean;
  /** `HOST=URL` */
  readonly registries: string[];
  readonly interval: string | undefined;
  readonly reloadTimeout: string | undefined;
  readonly paths: RuntimePaths;
  readonly docker: DockerSpec;
  readonly startupTaint: string | undefined;
}

/**
 * How long the runtimes take at most until they are off the df-daemon, in seconds: an `apply` that is under way, and the `restore` after it, each of
 * which waits for its runtime up to twice.
 */
export function offSeconds(props: RuntimeConfiguration): number {
  return Math.ceil((4 * (props.reloadTimeout?.toMilliseconds() ?? DEFAULT_RELOAD_MS)) / 1000) + END_SECONDS;
}

const DEFAULT_RELOAD_MS = Number.parseInt(NODE_MIRROR.flags.reloadTimeout.default, 10) * 1000;

/** For all that is not waiting. */
const END_SECONDS = 30;

/** @throws Error when a pod would be killed while it takes its runtimes off the df-daemon. */
export function checkReloadTimeout(props: RuntimeConfiguration, graceSeconds: number): void {
  const { reloadTimeout } = props;
  if (reloadTimeout === undefined || offSeconds(props) <= graceSeconds) {
    return;
  }
  const most = Math.max(0, Math.floor((graceSeconds - END_SECONDS) / 4));
  throw new Error(
    `configureRuntime.reloadTimeout is ${written(reloadTimeout.toMilliseconds())} and terminationGracePeriod ${graceSeconds}s, in which it may pass four times until the runtimes are off the df-daemon: ` +
      `use at most ${most}s, or raise terminationGracePeriod.`,
  );
}

/**
 * Props with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function runtimeConfigurationSpec(
  props: RuntimeConfiguration,
  registries: RegistrySpec[],
): RuntimeConfigurationSpec {
  const image = checkImage('configureRuntime.image', props.image, NODE_MIRROR.name);
  const runtimes = checkRuntimes('configureRuntime.runtimes', props.runtimes);
  checkDockerHub('configureRuntime.', runtimes, registries);
  const restart = props.restart ?? false;
  return {
    workload: {
      ...workloadSpec(props, {
        parent: 'configureRuntime.',
        image,
        resources: { cpuRequest: '10m', memoryRequest: '64Mi', memoryLimit: 256 },
        priorityClassName: undefined,
        gracePeriodSeconds: 0,
        nodeSelector: {},
        takenEnv: { [NODE_MIRROR.flags.nodeName.env]: 'WirePatch' },
      }),
      image,
    },
    runtimes,
    restart,
    registries: namedRegistries(registries),
    interval: durationText('configureRuntime.interval', props.interval, NODE_MIRROR.flags.interval),
    reloadTimeout: durationText('configureRuntime.reloadTimeout', props.reloadTimeout, NODE_MIRROR.flags.reloadTimeout),
    paths: runtimePathsSpec('configureRuntime.paths', props.paths),
    docker: dockerSpec('configureRuntime.', props.docker, { runtimes, restart, registries }),
    startupTaint:
      props.startupTaint === undefined ? undefined : checkTaint('configureRuntime.startupTaint', props.startupTaint),
  };
}
