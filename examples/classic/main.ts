import { App, Chart } from 'cdk8s';
import { Dragonfly, Preset } from 'cdk8s-dragonfly';

/** An installation of Dragonfly 0.x as it was written by hand, moved over by changing images. */
const app = new App();
new Dragonfly(new Chart(app, 'classic'), 'dragonfly', {
  ...Preset.classic(),
  supernodeImage: 'registry.example.com/dragonfly/supernode:0.1.0',
  daemonImage: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
  registries: [{ host: 'docker.io', url: 'https://registry-1.docker.io' }],
});
app.synth();
