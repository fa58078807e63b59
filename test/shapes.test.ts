import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import {
  CertificateAuthority,
  DfDaemonConstruct,
  Dragonfly,
  DragonflyMonitoring,
  NodeMirrorJob,
  PreheatJob,
  Storage,
  TagPolicy,
} from '../src';
import { chart, yamlOf } from './support/synth';

const IMAGES = { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' };
const REGISTRY = 'url, host, ca, clientCertificateSecret, credentialsSecret, tokenServers';

type Make<Props> = new (scope: Construct, id: string, props: Props) => unknown;

/** As from JavaScript, where no type holds anybody back. */
function untyped<Props>(make: Make<Props>, props: unknown): () => unknown {
  return () => new make(chart(), 'it', props as Props);
}

describe('values of a wrong kind are refused with the way to the prop, what was given, and what to write', () => {
  it.each<[unknown, string]>([
    [
      { daemon: { diskQuota: '20Gi' } },
      'daemon.diskQuota is the text "20Gi": write a Size of cdk8s, such as Size.gibibytes(20).',
    ],
    [
      { daemon: { drainTimeout: 30 } },
      'daemon.drainTimeout is 30: write a Duration of cdk8s, such as Duration.seconds(30).',
    ],
    [{ daemon: { mirrorPort: '65001' } }, 'daemon.mirrorPort is the text "65001": write a number, without quotes.'],
    [{ daemon: { mirrorPort: NaN } }, 'daemon.mirrorPort is NaN: write a number, without quotes.'],
    [{ daemon: { maxUnavailable: 3 } }, 'daemon.maxUnavailable is 3: write a text in quotes.'],
    [{ daemon: { env: { A: 5 } } }, 'daemon.env["A"] is 5: write a text in quotes.'],
    [
      { daemon: { nodeSelector: ['a=b'] } },
      "daemon.nodeSelector is a list: write an object of names and texts, such as { team: 'storage' }.",
    ],
    [
      { daemon: { logLevel: 'verbose' } },
      'daemon.logLevel is the text "verbose": write LogLevel.ERROR or LogLevel.WARN or LogLevel.INFO or LogLevel.DEBUG.',
    ],
    [
      { daemon: { storage: '/data' } },
      `daemon.storage is the text "/data": write a Storage, such as Storage.hostPath('/data/dragonfly').`,
    ],
    [{ daemon: { proxy: { rules: [{}] } } }, 'daemon.proxy.rules[0].match is missing: write a text in quotes.'],
    [{ daemon: null }, /^daemon is null: write an object with labels, /],
    [
      { supernode: { egressPolicy: 'yes' } },
      'supernode.egressPolicy is the text "yes": write true or false, without quotes.',
    ],
    [
      { supernode: { securityContext: { capabilities: ['ALL'] } } },
      'supernode.securityContext.capabilities is a list: write an object.',
    ],
    [{ registries: 'https://ghcr.io' }, 'registries is the text "https://ghcr.io": write a list in brackets.'],
    [
      { registries: ['https://ghcr.io'] },
      `registries[0] is the text "https://ghcr.io": write an object with ${REGISTRY}.`,
    ],
    [{ registries: [{ URL: 'https://ghcr.io' }] }, `registries[0] has "URL", which is no prop of it: use ${REGISTRY}.`],
    [
      { registry: 'https://ghcr.io' },
      /^"registry" is no prop: use supernodeImage, daemonImage, nodeMirrorImage, registries, /,
    ],
    [
      { ca: () => 'ca' },
      `ca is a function: write a CertificateAuthority, such as CertificateAuthority.fromConfigMap('corporate-ca').`,
    ],
    [
      { daemon: { minFree: { gibibytes: 1 } } },
      'daemon.minFree is an object of another kind: write a Size of cdk8s, such as Size.gibibytes(20).',
    ],
  ] as [unknown, string][])('%j', (props, message) => {
    const make = untyped(Dragonfly, { ...IMAGES, ...(props as object) });
    expect(make).toThrow(
      typeof message === 'string'
        ? `test/it: ${message}`
        : new RegExp(`^test/it: ${(message as RegExp).source.slice(1)}`),
    );
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'an installation without props',
      untyped(Dragonfly, undefined),
      /^test\/it: the last argument is missing: write an object with /,
    ],
    [
      'a df-daemon',
      untyped(DfDaemonConstruct, { image: 'a' }),
      /^test\/it: supernodes is missing: write addressesFrom\(namespace\) of a SupernodeConstruct, or a list such as \['supernode\.dragonfly-system'\]\.$/,
    ],
    [
      'a node-mirror',
      untyped(NodeMirrorJob, { image: 'a', nodes: 'w1' }),
      /^test\/it: nodes is the text "w1": write a list/,
    ],
    [
      'a preheat',
      untyped(PreheatJob, { image: 'a', images: ['b'], supernodes: 5 }),
      /^test\/it: supernodes is 5: write addressesFrom\(namespace\) of a Supernode/,
    ],
    [
      'monitoring',
      untyped(DragonflyMonitoring, { daemons: [] }),
      /^test\/it: supernode is missing: write a SupernodeConstruct\.$/,
    ],
    [
      'storage',
      () => Storage.emptyDir({ sizeLimit: 5 as unknown as Size }),
      /^Storage\.emptyDir\(\)\.sizeLimit is 5: write a Size/,
    ],
    [
      'a folder of the node',
      () => Storage.hostPath(undefined as unknown as string),
      /^Storage\.hostPath\(\) is missing: write a text in quotes\.$/,
    ],
    [
      'certificates',
      () => CertificateAuthority.fromSecret(undefined as unknown as string),
      /^CertificateAuthority\.fromSecret\(\) is missing: write a text in quotes\.$/,
    ],
    [
      'the key of certificates',
      () => CertificateAuthority.fromConfigMap('a', 5 as unknown as string),
      /^the key of CertificateAuthority\.fromConfigMap\(\) is 5: write a text in quotes\.$/,
    ],
    ['a time', () => TagPolicy.ttl(5 as unknown as Duration), /^TagPolicy\.ttl\(\) is 5: write a Duration of cdk8s/],
    [
      'a part of a millisecond',
      untyped(DfDaemonConstruct, { image: 'a', supernodes: ['b'], timeouts: { connect: Duration.seconds(0.0575) } }),
      /^test\/it: timeouts\.connect is 57\.5 ms: write whole milliseconds, such as Duration\.millis\(1500\)\.$/,
    ],
  ])('of %s', (_what, make, message) => {
    expect(make).toThrow(message);
  });

  it('but what is undefined is left out, and a Size of another copy of cdk8s is one', () => {
    const scope = chart();
    const size = { toMebibytes: () => 9216 } as unknown as Size;
    new Dragonfly(scope, 'it', { ...IMAGES, daemon: { diskQuota: size }, ...{ more: undefined } });
    expect(yamlOf(scope)).toContain('9216MiB');
  });
});
