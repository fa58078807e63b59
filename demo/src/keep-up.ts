import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterPlan } from './cluster/plan/plan-cluster';
import { addressOf } from './pull-through-all';
import type { EmbeddedRegistry } from './registry/embedded-registry';

export interface KeepUpOptions {
  readonly plan: ClusterPlan;
  readonly registry: EmbeddedRegistry;
  readonly name: string;
  readonly tag: string;
  readonly folder: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Prints where everything is and what to do with it, and waits until the user has seen enough. */
export async function keepUp({ plan, registry, name, tag, folder, say, signal }: KeepUpOptions): Promise<void> {
  const addresses = [
    ['registry', registry.url],
    ...plan.central.map((process) => [process.name, `http://${addressOf(process.addresses, 'port')}`]),
    ...plan.perNode.map((process) => [process.name, `http://${addressOf(process.addresses, 'port')}`]),
  ];
  say('\nEverything stays up until Ctrl-C:');
  for (const [what = '', url = ''] of addresses) say(`  ${what.padEnd(10)} ${url}`);
  const mirror = plan.perNode[0] ? addressOf(plan.perNode[0].addresses, 'port') : '';
  say(
    [
      `Logs, stores and the map: ${folder}`,
      'Ask a node as a container runtime does:',
      `  curl -i http://${mirror}/v2/${name}/manifests/${tag}`,
      'Point a real runtime at a node as if it were the registry:',
      `  skopeo copy --src-tls-verify=false docker://${mirror}/${name}:${tag} dir:/tmp/demo-image`,
      'Or as its mirror, as root on Linux:',
      `  ctr images pull --hosts-dir ${writeHostsFile(folder, registry, mirror)} ${registry.address}/${name}:${tag}`,
    ].join('\n'),
  );
  if (!signal.aborted) await once(signal, 'abort');
}

/**
 * Writes what tells containerd that the registry has a mirror.
 *
 * @returns the folder for `--hosts-dir`, or for `config_path` in containerd's configuration
 */
function writeHostsFile(folder: string, registry: EmbeddedRegistry, mirror: string): string {
  const hosts = join(folder, 'certs.d');
  mkdirSync(join(hosts, registry.address), { recursive: true });
  const text = `server = "${registry.url}"\n\n[host."http://${mirror}"]\n  capabilities = ["pull", "resolve"]\n`;
  writeFileSync(join(hosts, registry.address, 'hosts.toml'), text);
  return hosts;
}
