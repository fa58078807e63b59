import { basename } from 'node:path';
import { CommandError } from '@cdk8s-dragonfly/command';
import { DFDAEMON, SUPERNODE, type CommandSpec } from '@cdk8s-dragonfly/contract';
import type { Container } from '../manifest/container';
import type { Manifests } from '../manifest/read-manifests';
import type { Workload } from '../manifest/workload';
import { expandArguments, readEnvironment } from './environment';
import { FileSystem } from './file-system';
import { FlagSettings } from './flag-settings';
import type { DaemonCommand } from './process-plan';

const COMMANDS: Readonly<Record<DaemonCommand, CommandSpec>> = { supernode: SUPERNODE, dfdaemon: DFDAEMON };

/** One pod of a workload, and what its container says, before anything is moved to this machine. */
export interface Pod {
  readonly name: string;
  readonly workload: Workload;
  readonly command: DaemonCommand;
  readonly spec: CommandSpec;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: FileSystem;
  /** What the command makes of all that. */
  readonly settings: FlagSettings;
  /** The local port of each port of the pod. */
  readonly ports: ReadonlyMap<number, number>;
}

/**
 * @param name the name of the process and its folder
 * @param folder where its folders are made
 * @param takePort gives a free port of this machine
 * @throws CommandError when the container's command does not understand what the manifest gives it
 */
export function podOf(
  workload: Workload,
  manifests: Manifests,
  place: { readonly name: string; readonly folder: string },
  takePort: () => number,
): Pod {
  const { container } = workload;
  const [command, ...commandArgs] = commandOf(workload);
  const spec = COMMANDS[command];
  const env = readEnvironment(container.env, { workload, node: place.name });
  const args = expandArguments([...commandArgs, ...container.args], env);
  const files = new FileSystem(workload, manifests.configMaps, place.folder);
  const settings = FlagSettings.parse(spec, args, env, (path) => files.read(path), `${workload.kind} ${workload.name}`);
  const ports = new Map(settings.listeners().map(({ port }) => [port, takePort()] as const));
  return { name: place.name, workload, command, spec, args, env, files, settings, ports };
}

/** The local port for a port of the pod, given by number or name. */
export function localPort(pod: Pod, reference: number | string): number {
  const { kind, name, container } = pod.workload;
  const number = typeof reference === 'number' ? reference : portNamed(container, reference);
  const local = number === undefined ? undefined : pod.ports.get(number);
  if (local === undefined) {
    throw new CommandError(`${kind} ${name} has no port ${reference} that ${pod.command} listens on`);
  }
  return local;
}

function portNamed(container: Container, name: string): number | undefined {
  return container.ports.find((port) => port.name === name)?.port;
}

/** The container's command line from its command on; without one the image's, by the name of the image. */
function commandOf({ kind, name, container }: Workload): [DaemonCommand, ...string[]] {
  const [given, ...args] = container.command;
  const image = basename(container.image).replace(/[:@].*$/, '');
  const command = given === undefined ? image.replace('df-daemon', 'dfdaemon') : basename(given);
  if (command === 'supernode' || command === 'dfdaemon') return [command, ...args];
  throw new CommandError(
    `${kind} ${name} runs ${given ?? `the image ${container.image}`}, and the demo can run supernode and dfdaemon`,
  );
}
