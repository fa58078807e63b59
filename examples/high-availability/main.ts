import { App, Chart, Size } from 'cdk8s';
import { Bandwidth, Dragonfly, Placement, Storage } from 'cdk8s-dragonfly';

/**
 * Three supernodes with volumes of their own, in a namespace that denies what no policy allows; new nodes take pods when their runtime has the
 * mirror; alerts for who is on call.
 */
const app = new App();
const chart = new Chart(app, 'dragonfly', { namespace: 'dragonfly-system' });
new Dragonfly(chart, 'dragonfly', {
  supernodeImage: 'registry.example.com/dragonfly/supernode:0.1.0',
  daemonImage: 'registry.example.com/dragonfly/dfdaemon:0.1.0',
  createNamespace: true,
  supernode: {
    replicas: 3,
    placement: Placement.ANY,
    storage: Storage.persistentVolumeClaim({ size: Size.gibibytes(100) }),
    signingKeySecret: 'dragonfly-signing-key',
    maxBandwidth: Bandwidth.mebibytesPerSecond(200),
    // Where nodes come from for the policies of the cluster: docs/constructs.md, Networks.
    nodeCidrs: ['10.0.0.0/16'],
    egressPolicy: true,
  },
  monitoring: {},
  daemon: {
    configureRuntime: {
      image: 'registry.example.com/dragonfly/node-mirror:0.1.0',
      startupTaint: 'startup-taint.cluster-autoscaler.kubernetes.io/dragonfly',
    },
  },
});
app.synth();
