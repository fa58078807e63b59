import { PATHS } from '@cdk8s-dragonfly/contract';
import { resolveBelow } from '../files/host-path';
import { takeSnapshot } from '../files/snapshot';
import { flagValues, processesOf, type ProcessFacts } from '../process';
import { Refusal } from '../refusal';
import { decodeToml } from '../toml/toml-text';
import { readCriRegistry } from './config-edits';
import { type Containerd, RunningContainerd } from './containerd';

/** What is known of containerd before it is looked for. */
export interface ContainerdHints {
  readonly hostRoot: string;
  /** `--containerd-config`; absent: the file that the process names. */
  readonly config?: string;
  /** `--containerd-socket`; absent: the one of its configuration. */
  readonly socket?: string;
  /** Where the process file system is mounted. Default `/proc`. */
  readonly proc?: string;
}

/** A containerd, or why there is none to be pointed at a mirror. */
export interface FoundContainerd {
  readonly containerd?: Containerd;
  /** Its configuration file as the node knows it. */
  readonly config: string;
  readonly absent?: string;
}

const DEFAULT_SOCKET = '/run/containerd/containerd.sock';

interface Candidate {
  readonly facts: ProcessFacts;
  readonly config: string;
  readonly socket: string;
  readonly criOff: boolean;
}

/** What a configuration says; of one that is broken nothing: `apply` refuses it later, `restore` works beside it. */
export function criOf(
  config: string,
  bytes: Buffer | undefined,
): { readonly criOff: boolean; readonly address?: string } {
  try {
    return readCriRegistry(config, decodeToml(config, bytes));
  } catch (error) {
    if (error instanceof Refusal) return { criOff: false };
    throw error;
  }
}

async function candidateOf(hints: ContainerdHints, facts: ProcessFacts): Promise<Candidate> {
  const { hostRoot } = hints;
  const config = hints.config ?? flagValues(facts.args, '--config', '-c').at(-1) ?? PATHS.containerdConfig;
  const { bytes } = await takeSnapshot(await resolveBelow(hostRoot, config));
  const { criOff, address } = criOf(config, bytes);
  const socket = hints.socket ?? flagValues(facts.args, '--address', '-a').at(-1) ?? address ?? DEFAULT_SOCKET;
  return { facts, config, socket: await resolveBelow(hostRoot, socket), criOff };
}

/**
 * The containerd of this node that runs pods.
 *
 * @throws Refusal when it cannot be told which it is, or it does not answer
 */
export async function findContainerd(hints: ContainerdHints): Promise<FoundContainerd> {
  const { hostRoot, proc = '/proc' } = hints;
  const config = hints.config ?? PATHS.containerdConfig;
  const processes = await processesOf(proc, 'containerd');
  if (processes.length === 0) {
    return { config, absent: 'no containerd runs here: there is no process containerd; nothing was changed' };
  }
  const candidates: Candidate[] = [];
  for (const facts of processes) {
    const named = flagValues(facts.args, '--config', '-c').at(-1) ?? PATHS.containerdConfig;
    if (hints.config === undefined || named === hints.config) candidates.push(await candidateOf(hints, facts));
  }
  const [first, ...more] = candidates.filter(({ criOff }) => !criOff);
  if (first === undefined) {
    const pids = processes.map(({ pid }) => pid).join(', ');
    const why =
      candidates.length === 0
        ? `reads another file than ${config}`
        : 'has its CRI plugin off (disabled_plugins), as with docker: it pulls nothing by itself';
    return {
      config: candidates[0]?.config ?? config,
      absent: `containerd (process ${pids}) ${why}; nothing was changed`,
    };
  }
  if (more.length > 0) {
    const all = [first, ...more].map(({ facts, config: file }) => `process ${facts.pid} with ${file}`).join(', ');
    throw new Refusal(
      `more than one containerd with a CRI runs here (${all}): name the file of the one that is meant with --containerd-config`,
    );
  }
  const places = { hostRoot, proc, config: first.config, socket: first.socket };
  return { config: first.config, containerd: await RunningContainerd.of(places, first.facts) };
}
