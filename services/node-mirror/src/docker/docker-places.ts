import { PATHS } from '@cdk8s-dragonfly/contract';
import { resolveBelow } from '../files/host-path';
import { takeSnapshot } from '../files/snapshot';
import { flagValues, processesOf } from '../process';
import { valueAt } from '../toml/toml-text';

/** Where docker's files are, as paths of the node. */
export interface DockerPlaces {
  readonly config: string;
  readonly socket: string;
  readonly pidFile: string;
}

/** What is known of dockerd before it is looked for. */
export interface DockerHints extends Partial<DockerPlaces> {
  readonly hostRoot: string;
  /** Where the process file system is mounted. Default `/proc`. */
  readonly proc?: string;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';
const DEFAULT_PID_FILE = '/var/run/docker.pid';

/**
 * Where docker's files are: what was said counts, then how the dockerd that runs was started, then what its file says, then where dockerd has
 * them by itself. Of more than one dockerd nobody can tell which is meant, and none is looked at.
 *
 * @param before what was found the last time: it counts while none runs, so that its files are put back all the same.
 */
export async function dockerPlaces(hints: DockerHints, before?: DockerPlaces): Promise<DockerPlaces> {
  const { config: ownConfig, socket: ownSocket, pidFile: ownPidFile } = hints;
  if (ownConfig !== undefined && ownSocket !== undefined && ownPidFile !== undefined) {
    return { config: ownConfig, socket: ownSocket, pidFile: ownPidFile };
  }
  const processes = await processesOf(hints.proc ?? '/proc', 'dockerd');
  if (processes.length === 0 && before !== undefined) return before;
  const args = processes.length === 1 ? (processes[0]?.args ?? []) : [];
  const config = ownConfig ?? flagValues(args, '--config-file').at(-1) ?? PATHS.dockerConfig;
  const file = await settingsIn(await resolveBelow(hints.hostRoot, config));
  const hosts = [...flagValues(args, '--host', '-H'), ...texts(valueAt(file, 'hosts'))];
  const pidFile = [...flagValues(args, '--pidfile', '-p'), ...texts([valueAt(file, 'pidfile')])];
  return {
    config,
    socket: ownSocket ?? hosts.flatMap((host) => /^unix:\/\/(\/.+)$/.exec(host)?.[1] ?? [])[0] ?? DEFAULT_SOCKET,
    pidFile: ownPidFile ?? pidFile[0] ?? DEFAULT_PID_FILE,
  };
}

/** What the file says; nothing when it is missing or broken: what is wrong with it is told where it is to be changed. */
async function settingsIn(path: string): Promise<unknown> {
  const { bytes } = await takeSnapshot(path);
  try {
    return bytes === undefined ? undefined : JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one: unknown) => typeof one === 'string') : [];
}
