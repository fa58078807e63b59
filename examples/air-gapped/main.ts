import { App, Chart } from 'cdk8s';
import { CertificateAuthority, Dragonfly } from 'cdk8s-dragonfly';

/** No way out: every registry is the one inside, images are named by digest, as they were checked at the gate. */
const app = new App();
const chart = new Chart(app, 'dragonfly', { namespace: 'dragonfly-system' });
const inside = { url: 'https://registry.inside.example.com' };
const image = (name: string, digest: string): string =>
  `registry.inside.example.com/dragonfly/${name}@sha256:${digest}`;

new Dragonfly(chart, 'dragonfly', {
  supernodeImage: image('supernode', '1'.repeat(64)),
  daemonImage: image('dfdaemon', '2'.repeat(64)),
  createNamespace: true,
  ca: CertificateAuthority.fromSecret('inside-ca'),
  registries: [
    { ...inside, host: 'docker.io' },
    { ...inside, host: 'ghcr.io' },
    { ...inside, host: 'quay.io' },
  ],
});
app.synth();
