import { App, Chart } from 'cdk8s';
import { Dragonfly } from '../../src/index';

/**
 * The app that `npm start` synthesizes: an installation in front of the registry of this run, whose URL stands in `DEMO_REGISTRY`. Its
 * images are not pulled: the demo runs their commands as local processes.
 */
const registry = process.env['DEMO_REGISTRY'];
if (registry === undefined) {
  throw new Error('DEMO_REGISTRY is not set: give it the URL of the registry, such as http://127.0.0.1:5000.');
}
const app = new App();

new Dragonfly(new Chart(app, 'demo'), 'dragonfly', {
  supernodeImage: 'dragonfly/supernode:demo',
  daemonImage: 'dragonfly/dfdaemon:demo',
  registries: [{ url: registry }],
});

app.synth();
