import { App, Chart, JsonPatch } from 'cdk8s';
import { NetworkPolicy, Pods, Service } from 'cdk8s-plus-27';
import { Dragonfly, WirePatch } from 'cdk8s-dragonfly';

/** A platform's own objects around an installation: a Service for metrics, a policy for Prometheus, a field that no prop has. */
const app = new App();
const chart = new Chart(app, 'platform', { namespace: 'dragonfly-system', labels: { team: 'platform' } });

const { supernode, daemon } = new Dragonfly(chart, 'dragonfly', {
  supernodeImage: 'registry.example.com/dragonfly/supernode:0.1.0',
  daemonImage: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
  createNamespace: true,
  supernode: { nodeCidrs: ['10.0.0.0/16'] },
});
new Service(chart, 'metrics', { selector: supernode, ports: [{ name: 'metrics', port: 8002 }] });
new NetworkPolicy(chart, 'prometheus-to-supernode', {
  selector: Pods.select(chart, 'prometheus', { labels: { app: 'prometheus' } }),
  egress: { rules: [{ peer: supernode }] },
});
WirePatch.apply(daemon.daemonSet, JsonPatch.add('/spec/minReadySeconds', 10));
app.synth();
