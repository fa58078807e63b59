import { type CommandMain, launcher, UsageError } from '@cdk8s-dragonfly/command';
import { NODE_MIRROR } from '@cdk8s-dragonfly/contract';
import { NodeMirror } from './node-mirror';
import { nodeMirrorSettings, runtimesOf } from './node-mirror-options';
import { deliver } from './outcome';
import { refusals } from './report';

/** How long a run that is told to stop may take to finish, or to put back, what it has begun; in milliseconds. */
const STOP_TIMEOUT_MS = 60_000;

/** The command: one mode, then the end. */
const run: CommandMain<typeof NODE_MIRROR> = async (values, ctx): Promise<number> => {
  const nodeMirror = new NodeMirror(runtimesOf(values), nodeMirrorSettings(values), {
    log: ctx.log,
    signal: ctx.signal,
  });
  if (values.argument === 'watch') throw new UsageError('watch is not built yet');
  const report = await nodeMirror[values.argument]();
  await deliver(report, { json: values.output === 'json', terminationLog: values.terminationLog, ...ctx });
  return refusals(report).length === 0 ? 0 : 1;
};

export const main = launcher(NODE_MIRROR, run, { stopTimeout: STOP_TIMEOUT_MS });
