import { App, Chart, Cron } from 'cdk8s';
import { CertificateAuthority, Dragonfly, PreheatJob } from 'cdk8s-dragonfly';

/**
 * A registry of the company with a certificate of its own, and its storage too. Who pulls with credentials is let in by the registry; for pods without
 * any, df-daemons show those of a Secret (`kubectl create secret docker-registry pull-robot …`), to the registry and to its login alone. The
 * nightly preheat has a user of its own.
 */
const app = new App();
const chart = new Chart(app, 'dragonfly', { namespace: 'dragonfly-system' });

const dragonfly = new Dragonfly(chart, 'dragonfly', {
  supernodeImage: 'registry.example.com/dragonfly/supernode:0.1.0',
  daemonImage: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
  createNamespace: true,
  ca: CertificateAuthority.fromConfigMap('corporate-ca'),
  registries: [
    {
      url: 'https://registry.example.com:5000',
      credentialsSecret: 'pull-robot',
      tokenServers: ['login.example.com'],
    },
    // Of a partner: its certificate counts for this host alone, and it is shown ours.
    {
      url: 'https://registry.partner.example',
      ca: CertificateAuthority.fromSecret('partner-ca'),
      clientCertificateSecret: 'partner-client',
    },
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
