import { type CommandMain, UsageError, launcher } from '@cdk8s-dragonfly/command';
import { NODE_MIRROR } from '@cdk8s-dragonfly/contract';
import { DockerRuntime } from './docker/docker-runtime';
import { mirrorUrl } from './mirror-url';
import { NodeMirror } from './node-mirror';

/** How long a run that is told to stop may take to finish, or to put back, what it has begun; in milliseconds. */
const STOP_TIMEOUT_MS = 60_000;

/** The command: one mode, then the end. */
const run: CommandMain<typeof NODE_MIRROR> = async (values, ctx): Promise<number> => {
  const mirror = mirrorUrl(values.mirror.href);
  if (values.argument === 'watch' || !values.runtime.some((name) => name === 'auto' || name === 'docker')) {
    throw new UsageError('only docker, and apply, plan, check and restore, are built so far');
  }
  const runtime = new DockerRuntime({
    hostRoot: values.hostRoot,
    config: values.dockerConfig,
    socket: values.dockerSocket,
    pidFile: values.dockerPidFile,
    mirror,
  });
  const settings = { mirror, waitMs: values.wait, reloadTimeoutMs: values.reloadTimeout };
  const nodeMirror = new NodeMirror(runtime, settings, {
    say: (line) => ctx.stdout.write(`${line}\n`),
    log: ctx.log,
    signal: ctx.signal,
  });
  await nodeMirror[values.argument]();
  return 0;
};

export const main = launcher(NODE_MIRROR, run, { stopTimeout: STOP_TIMEOUT_MS });
