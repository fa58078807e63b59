import { App, Chart, Cron } from 'cdk8s';
import { CertificateAuthority, Dragonfly, PreheatJob } from 'cdk8s-dragonfly';

/**
 * A registry of the company with a certificate of its own. Nodes pull with their own credentials, which pass through the df-daemon; the
 * nightly preheat has a user from a Secret.
 */
const app = new App();
const chart = new Chart(app, 'dragonfly', { namespace: 'dragonfly-system' });

const dragonfly = new Dragonfly(chart, 'dragonfly', {
  supernodeImage: 'registry.example.com/dragonfly/supernode:0.1.0',
  daemonImage: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
  createNamespace: true,
  registries: [
    { url: 'https://registry.example.com:5000', ca: CertificateAuthority.fromConfigMap('corporate-ca') },
    { url: 'https://registry-1.docker.io' },
  ],
  supernode: { imagePullSecrets: ['registry-credentials'] },
  daemon: { imagePullSecrets: ['registry-credentials'] },
});
new PreheatJob(chart, 'preheat', {
  image: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
  images: ['registry.example.com:5000/shop/web:7', 'registry.example.com:5000/shop/api:7'],
  supernodes: dragonfly.supernode.addressesFrom(dragonfly.namespace),
  platforms: ['linux/amd64'],
  credentialsSecret: 'preheat-user',
  imagePullSecrets: ['registry-credentials'],
  schedule: Cron.daily(),
});
app.synth();
