import { join, resolve } from 'node:path';
import type { Daemon } from './daemon';
import type { Dockerd } from './dockerd';
import type { Host } from './host';
import type { Registry } from './registry';

/** Where every df-daemon's mirror listens, on its own loopback. */
export const MIRROR = '127.0.0.1:65001';

/** The registry behind supernode and df-daemons. */
export type Upstream = Pick<Registry, 'address' | 'url'>;

export const SUPERNODE_PORT = 8002;
export const OPS_PORT = 65003;

/** Tests want to know everything, unless they say otherwise. */
function withLogLevel(flags: readonly string[]): readonly string[] {
  return flags.includes('--log-level') ? flags : ['--log-level', 'debug', ...flags];
}

/** Starts a supernode that may fetch from one registry. Started again on the same host it finds its store. */
export async function startSupernode(host: Host, registry: Upstream, more: readonly string[] = []): Promise<Daemon> {
  const daemon = host.start('supernode', [
    command('supernode'),
    ...['--home-dir', host.path('home')],
    ...['--advertise-ip', host.ip],
    ...['--allow-origin', registry.address],
    ...withLogLevel(more),
  ]);
  await daemon.ready(async () => (await fetch(`http://${host.ip}:${SUPERNODE_PORT}/_ping`)).ok || undefined);
  return daemon;
}

/** Starts a df-daemon in front of one registry, which is docker.io to the engines on its host. */
export async function startDfDaemon(
  host: Host,
  registry: Upstream,
  supernode: Host,
  more: readonly string[] = [],
): Promise<Daemon> {
  const daemon = host.start('dfdaemon', [
    command('dfdaemon'),
    ...['--registry', registry.url],
    ...['--registry', `docker.io=${registry.url}`],
    ...['--node', supernode.ip],
    ...['--data-dir', host.path('dfdaemon')],
    ...withLogLevel(more),
  ]);
  await daemon.ready(async () => (await fetch(`http://${host.ip}:${OPS_PORT}/readyz`)).ok || undefined);
  return daemon;
}

/** Points a dockerd at the df-daemon of its host, or undoes it, as the node's operator would. */
export async function nodeMirror(host: Host, mode: 'apply' | 'check' | 'restore', dockerd: Dockerd): Promise<void> {
  await host.run([
    command('node-mirror'),
    mode,
    ...['--runtime', 'docker', '--mirror', `http://${MIRROR}`],
    ...['--docker-config', dockerd.configFile],
    ...['--docker-socket', dockerd.socket],
    ...['--docker-pid-file', dockerd.pidFile],
  ]);
}

/** The launcher of one of our commands, as npm has linked it. */
function command(name: string): string {
  return join(resolve(__dirname, '../..'), 'node_modules/.bin', name);
}
