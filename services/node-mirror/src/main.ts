import { type CommandContext, type CommandMain, type CommandValues, launcher } from '@cdk8s-dragonfly/command';
import { NODE_MIRROR } from '@cdk8s-dragonfly/contract';
import { ApiClient, apiPlace } from './kubernetes/api-client';
import { removeTaint } from './kubernetes/node-taint';
import { NodeMirror } from './node-mirror';
import { nodeMirrorSettings, runtimesOf } from './node-mirror-options';
import { deliver } from './outcome';
import { type Report, refusals } from './report';
import { Watch } from './watch';

/**
 * How long a run that is told to stop may take to finish, or to put back, what it has begun, in milliseconds: an `apply` that is under way, and the
 * `restore` of `watch` after it, each of which waits for its runtime up to `--reload-timeout` twice.
 */
const STOP_TIMEOUT_MS = 4 * NODE_MIRROR.flags.reloadTimeout.max + 30_000;

type Values = CommandValues<typeof NODE_MIRROR>;

async function watch(nodeMirror: NodeMirror, values: Values, ctx: CommandContext): Promise<Report> {
  const { removeTaint: key, nodeName, serviceAccount, onFile } = values;
  const api = key === undefined ? undefined : new ApiClient(apiPlace(ctx.env, serviceAccount));
  const settings = { intervalMs: values.interval, ...(onFile === undefined ? {} : { onFile }) };
  const ports = {
    log: ctx.log,
    signal: ctx.signal,
    deliver: async (report: Report) => deliver(report, outlets(values, ctx)),
    ...(api === undefined || key === undefined || nodeName === undefined
      ? {}
      : { removeTaint: async () => removeTaint(api, nodeName, key) }),
  };
  return await new Watch(nodeMirror, settings, ports).run();
}

function outlets(
  { output, terminationLog }: Values,
  { stdout, stderr }: CommandContext,
): Parameters<typeof deliver>[1] {
  return { json: output === 'json', terminationLog, stdout, stderr };
}

/** The command: one mode, then the end. `watch` ends with SIGTERM. */
const run: CommandMain<typeof NODE_MIRROR> = async (values, ctx): Promise<number> => {
  const nodeMirror = new NodeMirror(runtimesOf(values), nodeMirrorSettings(values), {
    log: ctx.log,
    signal: ctx.signal,
  });
  if (values.argument === 'watch') return refusals(await watch(nodeMirror, values, ctx)).length === 0 ? 0 : 1;
  const report = await nodeMirror[values.argument]();
  await deliver(report, outlets(values, ctx));
  return refusals(report).length === 0 ? 0 : 1;
};

/** Called by `bin/node-mirror.js`. */
export const main = launcher(NODE_MIRROR, run, { stopTimeout: STOP_TIMEOUT_MS });
