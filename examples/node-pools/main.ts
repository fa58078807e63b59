import { App, Chart, Size } from 'cdk8s';
import { ContainerRuntime, DfDaemonConstruct, Storage, SupernodeConstruct } from 'cdk8s-dragonfly';

/** Three pools of nodes with a container runtime each, all in one swarm. */
const app = new App();
const chart = new Chart(app, 'dragonfly', { namespace: 'dragonfly-system' });
const registries = [{ url: 'https://registry-1.docker.io' }, { url: 'https://ghcr.io' }];

const supernode = new SupernodeConstruct(chart, 'supernode', {
  image: 'registry.example.com/dragonfly/supernode:0.1.0',
  registries,
});
const pools: [string, ContainerRuntime, Size][] = [
  ['containerd', ContainerRuntime.CONTAINERD, Size.gibibytes(40)],
  ['docker', ContainerRuntime.DOCKER, Size.gibibytes(20)],
  ['crio', ContainerRuntime.CRIO, Size.gibibytes(20)],
];
for (const [pool, runtime, diskQuota] of pools) {
  new DfDaemonConstruct(chart, pool, {
    name: `df-daemon-${pool}`,
    image: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
    supernodes: supernode.addressesFrom('dragonfly-system'),
    registries,
    nodeSelector: { 'example.com/pool': pool },
    storage: Storage.hostPath('/var/lib/dragonfly'),
    diskQuota,
    configureRuntime: { image: 'registry.example.com/dragonfly/node-mirror:0.1.0', runtimes: [runtime] },
  });
}
app.synth();
