import { once } from 'node:events';
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
      'Pull through a node with a real runtime, without touching its configuration:',
      `  skopeo copy --src-tls-verify=false docker://${mirror}/${name}:${tag} dir:/tmp/demo-image`,
      `Or as a mirror: containerd reads certs.d/${registry.address}/hosts.toml with [host."http://${mirror}"],`,
      `then: ctr images pull --plain-http --hosts-dir certs.d ${registry.address}/${name}:${tag}`,
    ].join('\n'),
  );
  if (!signal.aborted) await once(signal, 'abort');
}
