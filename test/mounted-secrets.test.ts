import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DockerCredentials } from '@cdk8s-dragonfly/dfdaemon';
import { outwardFrom } from '@cdk8s-dragonfly/origin';
import type { OutwardValues } from '@cdk8s-dragonfly/origin';
import { selfSigned } from '../services/origin/test/certificate';
import { CertificateAuthority, Dragonfly } from '../src';
import { DAEMON, SEED } from './arrivals/places';
import type { Place } from './arrivals/places';
import { View } from './arrivals/view';
import { chart } from './support/synth';

const client = selfSigned(['client']);
/** What the user has put into the cluster, by kind and name. */
const CLUSTER: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'ConfigMap corporate': { 'ca.crt': selfSigned(['corporate']).cert },
  'Secret partner-ca': { 'bundle.pem': selfSigned(['partner']).cert },
  'Secret partner-client': { 'tls.crt': client.cert, 'tls.key': client.key },
  'Secret robot': {
    '.dockerconfigjson': JSON.stringify({
      auths: { 'registry.example.com:5000': { username: 'robot', password: 'x' } },
    }),
  },
};

interface Source {
  readonly name: string;
  readonly items: readonly { readonly key: string; readonly path: string }[];
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mounted-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The values of a daemon whose files were mounted as the kubelet does it, but below `folder`. */
function mounted({ object, container }: Place): OutwardValues & { readonly registryAuth?: readonly string[] } {
  const scope = chart();
  new Dragonfly(scope, 'it', {
    supernodeImage: 'example/supernode:1',
    daemonImage: 'example/dfdaemon:1',
    ca: CertificateAuthority.fromConfigMap('corporate'),
    registries: [
      { url: 'https://registry.example.com:5000', credentialsSecret: 'robot' },
      {
        url: 'https://registry.partner.example',
        ca: CertificateAuthority.fromSecret('partner-ca', 'bundle.pem'),
        clientCertificateSecret: 'partner-client',
      },
    ],
  });
  const { volumes = [], by } = new View(scope).pods[object]!;
  const { projected } = volumes.find(({ name }) => name === 'registries') as unknown as {
    projected: { sources: { secret?: Source; configMap?: Source }[] };
  };
  for (const { secret, configMap } of projected.sources) {
    const of = secret === undefined ? `ConfigMap ${configMap!.name}` : `Secret ${secret.name}`;
    for (const { key, path } of (secret ?? configMap!).items) writeFileSync(join(folder, path), CLUSTER[of]![key]!);
  }
  const here = JSON.stringify(by[container]!.values).replaceAll('/etc/dragonfly/registries', folder);
  return JSON.parse(here) as ReturnType<typeof mounted>;
}

describe.each([
  ['the supernode', SEED],
  ['the df-daemon', DAEMON],
])('%s', (_what, place) => {
  it('trusts the bundle of the installation everywhere, and that of a registry at its host alone', () => {
    const { trust } = outwardFrom(mounted(place), {});
    const partner = trust?.contextFor(new URL('https://registry.partner.example'));
    const elsewhere = trust?.contextFor(new URL('https://storage.example.com'));
    expect(partner).toBeDefined();
    expect(elsewhere).toBeDefined();
    // Two hosts to which the same files apply share what they are connected with.
    expect(trust?.contextFor(new URL('https://registry.example.com:5000'))).toBe(elsewhere);
    expect(trust?.contextFor(new URL('https://registry.partner.example:8443'))).toBe(elsewhere);
    expect(partner).not.toBe(elsewhere);
  });
});

it('the df-daemon has the credentials of the Secret, the supernode has none', () => {
  const [file] = mounted(DAEMON).registryAuth!;
  const credentials = DockerCredentials.parse(readFileSync(file!, 'utf8'));
  expect(credentials.for(['registry.example.com:5000'], 'app')).toEqual({ username: 'robot', password: 'x' });
  expect(mounted(SEED).registryAuth).toBeUndefined();
});
