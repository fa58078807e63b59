import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { criOf } from '../../src/containerd/find-containerd';
import { ContainerdRuntime } from '../../src/containerd/containerd-runtime';
import { CrioRuntime, PodmanRuntime } from '../../src/containers/containers-runtime';
import type { Crio } from '../../src/containers/crio';
import type { CommandOutcome } from '../../src/host-commands';
import { NodeMirror } from '../../src/node-mirror';
import { readRegistries, type Registry } from '../../src/registry';
import type { Runtime } from '../../src/runtime';
import type { HostTree } from './host-tree';
import { type Modes, modesOf } from './modes';
import type { PretendedContainerd } from './pretended-containerd';

export const MIRROR = 'http://127.0.0.1:65001';
export const CONFIG = '/etc/containerd/config.toml';
export const CERTS = '/etc/containerd/certs.d';
export const DROP_INS = '/etc/containers/registries.conf.d';

/** What the tests vary. */
export interface Wishes {
  readonly mirror?: string;
  readonly registries?: readonly string[];
  readonly restart?: boolean;
  /** What `podman --version` comes to. */
  readonly podman?: CommandOutcome;
  readonly say?: (line: string) => void;
}

function modes(runtime: Runtime, { mirror = MIRROR, say = () => undefined }: Wishes): Modes {
  const settings = { mirror, waitMs: 0, reloadTimeoutMs: 100, auto: false };
  return modesOf(new NodeMirror([runtime], settings, { waitForMirror: () => Promise.resolve() }), say);
}

function common(
  node: HostTree,
  { mirror = MIRROR, registries = ['docker.io'] }: Wishes,
): { hostRoot: string; mirror: string; registries: readonly Registry[] } {
  return { hostRoot: node.root, mirror, registries: readRegistries(registries) };
}

/** containerd on a pretended node; `undefined`: none runs. */
export function containerdOn(node: HostTree, containerd: PretendedContainerd | undefined, wishes: Wishes = {}): Modes {
  const runtime = new ContainerdRuntime(
    { ...common(node, wishes), hosts: CERTS, restart: wishes.restart ?? false, auto: false },
    async () => {
      const has = existsSync(join(node.root, CONFIG));
      const off = has && criOf(CONFIG, Buffer.from(node.read(CONFIG))).criOff;
      if (containerd === undefined) return await Promise.resolve({ config: CONFIG, absent: 'no containerd runs here' });
      return await Promise.resolve(
        off ? { config: CONFIG, absent: 'containerd has its CRI plugin off' } : { config: CONFIG, containerd },
      );
    },
  );
  return modes(runtime, wishes);
}

/** podman on a pretended node. */
export function podmanOn(node: HostTree, wishes: Wishes = {}): Modes {
  return modes(
    new PodmanRuntime(
      { ...common(node, wishes), registriesConf: '/etc/containers/registries.conf' },
      { run: () => Promise.resolve(wishes.podman ?? { ok: true, said: 'podman version 4.3.1', ran: true }) },
    ),
    wishes,
  );
}

/** CRI-O on a pretended node; `undefined`: none runs. */
export function crioOn(node: HostTree, crio: Crio | undefined, wishes: Wishes = {}): Modes {
  const settings = { ...common(node, wishes), registriesConf: '/etc/containers/registries.conf' };
  return modes(new CrioRuntime(settings, () => Promise.resolve(crio)), wishes);
}
