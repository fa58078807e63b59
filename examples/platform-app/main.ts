import { App, Chart, JsonPatch } from 'cdk8s';
import { NetworkPolicy, Pods } from 'cdk8s-plus-27';
import { Dragonfly, WirePatch } from 'cdk8s-dragonfly';

/** Part of a platform: alerts and dashboard for its Prometheus and Grafana, a policy of its own beside ours, a field that no prop has. */
const app = new App();
const chart = new Chart(app, 'platform', { namespace: 'dragonfly-system', labels: { team: 'platform' } });

const { supernode, daemon } = new Dragonfly(chart, 'dragonfly', {
  supernodeImage: 'registry.example.com/dragonfly/supernode:0.1.0',
  daemonImage: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
  createNamespace: true,
  // Where nodes come from for the policies of the cluster: docs/constructs.md, Networks.
  supernode: { nodeCidrs: ['10.0.0.0/16'] },
  monitoring: { labels: { release: 'kube-prometheus-stack' }, alertLabels: { team: 'platform' } },
});
// Builds that warm the swarm up may reach the supernode.
new NetworkPolicy(chart, 'builds-to-supernode', {
  selector: Pods.select(chart, 'builds', { labels: { app: 'build' } }),
  egress: { rules: [{ peer: supernode }] },
});
WirePatch.apply(daemon.daemonSet, JsonPatch.add('/spec/minReadySeconds', 10));
app.synth();
