import { App, Chart } from 'cdk8s';
import { Dragonfly, Preset } from './index';

/** The app that `cdk8s synth` runs: the default installation with example images, and the classic one. */
const app = new App();

new Dragonfly(new Chart(app, 'dragonfly'), 'dragonfly', {
  supernodeImage: 'registry.example.com/dragonfly/supernode:0.1.0',
  daemonImage: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
});
new Dragonfly(new Chart(app, 'classic'), 'dragonfly', Preset.classic());

app.synth();
