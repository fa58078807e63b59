import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Chart, Yaml, YamlOutputType } from 'cdk8s';
import { Dragonfly } from 'cdk8s-dragonfly';

/**
 * A manifests repository that Argo CD or Flux applies: one folder a cluster, one file an object, a kustomization.yaml in each folder.
 * `cdk8s synth --output ../manifests/dragonfly` writes `dragonfly/staging` and `dragonfly/production` anew, so what is gone is pruned.
 * The runtimes are configured from the DaemonSet: a Job of a node would be a thing to be run once, and a repository describes what is.
 */
const CLUSTERS = [
  { name: 'staging', supernodes: 1, nodesAtATime: '50%' },
  { name: 'production', supernodes: 3, nodesAtATime: '5%' },
];
const IMAGES = 'registry.example.com/dragonfly';

const app = new App({ yamlOutputType: YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE });
for (const { name, supernodes, nodesAtATime } of CLUSTERS) {
  new Dragonfly(new Chart(app, name, { namespace: 'dragonfly-system' }), 'dragonfly', {
    supernodeImage: `${IMAGES}/supernode:0.1.0`,
    daemonImage: `${IMAGES}/dfdaemon:0.1.0`,
    createNamespace: true,
    supernode: { replicas: supernodes, ...(supernodes > 1 ? { signingKeySecret: 'supernode-signing-key' } : {}) },
    daemon: { maxUnavailable: nodesAtATime, configureRuntime: { image: `${IMAGES}/node-mirror:0.1.0` } },
  });
}
app.synth();

for (const { name } of CLUSTERS) {
  const folder = join(app.outdir, name);
  const resources = readdirSync(folder).sort();
  const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources };
  writeFileSync(join(folder, 'kustomization.yaml'), Yaml.stringify(kustomization));
}
