import { App, Chart } from 'cdk8s';
import { Dragonfly } from 'cdk8s-dragonfly';

/** One supernode on the control plane, a df-daemon on every node, Docker Hub behind them. */
const app = new App();
new Dragonfly(new Chart(app, 'dragonfly'), 'dragonfly', {
  supernodeImage: 'registry.example.com/dragonfly/supernode:0.1.0',
  daemonImage: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
});
app.synth();
