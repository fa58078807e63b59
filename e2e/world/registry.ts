import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { Certificate } from '../../services/origin/test/certificate';
import type { Daemon } from './daemon';
import type { Host } from './host';
import { blobsOf, type Image } from './image';
import type { TokenTrust, User } from './token-server';

/** One request as the registry's access log tells it. */
export interface RegistryRequest {
  readonly client: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Bytes of the body that it sent. */
  readonly bytes: number;
}

/** What a registry has sent of one blob. */
export interface Delivery {
  readonly digest: string;
  readonly requests: number;
  readonly bytes: number;
}

function storageOf(host: Host): string {
  return host.path('storage');
}

function authLines(host: Host, { realm, service, issuer, certificate }: TokenTrust): string[] {
  const bundle = host.path('token-certificate.pem');
  writeFileSync(bundle, certificate);
  const fields = { realm, service, issuer, rootcertbundle: bundle };
  return ['auth:', '  token:', ...Object.entries(fields).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`)];
}

/** How long a push may take, in milliseconds. */
const PUSH_LIMIT = 30_000;
const PUSH_LIMIT_A_GIB = 30_000;
const GIB = 1024 ** 3;

function tlsLines(host: Host, { cert, key }: Certificate): string[] {
  const [certificate, ownKey] = [host.path('tls.pem'), host.path('tls-key.pem')];
  writeFileSync(certificate, cert);
  writeFileSync(ownKey, key);
  return ['  tls:', `    certificate: ${JSON.stringify(certificate)}`, `    key: ${JSON.stringify(ownKey)}`];
}

/** Debian's docker-registry on port 5000 of a host. */
export class Registry {
  private constructor(
    private readonly host: Host,
    readonly daemon: Daemon,
    private readonly certificate: Certificate | undefined,
  ) {}

  /**
   * @param tokens whom it believes; default: everybody may have and do everything
   * @param upstream the registry whose pull-through cache it is, as a URL; default: a registry of its own
   * @param certificate for its address; default: it speaks plain http
   */
  static async start(host: Host, tokens?: TokenTrust, upstream?: string, certificate?: Certificate): Promise<Registry> {
    const config = host.path('config.yml');
    writeFileSync(
      config,
      [
        'version: 0.1',
        'log: { level: debug, accesslog: { disabled: false } }',
        `storage: { filesystem: { rootdirectory: ${JSON.stringify(storageOf(host))} } }`,
        'http:',
        `  addr: "${host.ip}:5000"`,
        ...(certificate === undefined ? [] : tlsLines(host, certificate)),
        ...(tokens === undefined ? [] : authLines(host, tokens)),
        ...(upstream === undefined ? [] : [`proxy: { remoteurl: ${JSON.stringify(upstream)} }`]),
        '',
      ].join('\n'),
    );
    const daemon = host.start('docker-registry', ['docker-registry', 'serve', config]);
    const registry = new Registry(host, daemon, certificate);
    await daemon.ready(async () => [200, 401].includes(await registry.status()) || undefined);
    return registry;
  }

  /** The folder in which it keeps all that it has. */
  get storage(): string {
    return storageOf(this.host);
  }

  /** `HOST:PORT`. */
  get address(): string {
    return `${this.host.ip}:5000`;
  }

  get url(): string {
    return `${this.certificate === undefined ? 'http' : 'https'}://${this.address}`;
  }

  /** What it answers to `GET /v2/`. */
  private async status(): Promise<number> {
    if (this.certificate === undefined) return (await fetch(`${this.url}/v2/`)).status;
    const asked = get(`${this.url}/v2/`, { ca: this.certificate.cert, agent: false });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode ?? 0;
  }

  /** Ends it: from then on nobody listens on its port. */
  async stop(): Promise<void> {
    await this.daemon.stop();
  }

  /** Puts an image into it, byte by byte as it is. */
  async push(image: Image, user?: User): Promise<void> {
    const target = `docker://${this.address}/${image.repository}:${image.tag}`;
    const how = ['--insecure-policy', 'copy', '--all', '--preserve-digests', '--dest-tls-verify=false'];
    if (user !== undefined) how.push('--dest-creds', `${user.username}:${user.password}`);
    // From its own host: a limited link is not for this.
    const bytes = image.layers.reduce((sum, { size }) => sum + size, 0);
    const limitMs = Math.round(PUSH_LIMIT + (bytes / GIB) * PUSH_LIMIT_A_GIB);
    await this.host.run(['skopeo', ...how, `oci:${image.layout}`, target], { limitMs });
  }

  /** Every request that has been answered, oldest first. */
  requests(): RegistryRequest[] {
    // 10.77.0.3 - - [23/Nov/2026:12:00:00 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "user agent"
    const line = /^(\S+) \S+ \S+ \[[^\]]*\] "(\S+) (\S+) [^"]*" (\d+) (\d+) /gm;
    return [...this.daemon.log().matchAll(line)].map(([, client = '', method = '', path = '', status, bytes]) => ({
      client,
      method,
      path,
      status: Number(status),
      bytes: Number(bytes),
    }));
  }

  /** What it has sent of each blob of an image, in the order of the manifest. */
  deliveries(image: Image): Delivery[] {
    const sent = this.requests().filter(({ method, status }) => method === 'GET' && (status === 200 || status === 206));
    return blobsOf(image).map(({ digest }) => {
      const ofBlob = sent.filter(({ path }) => path.split('?')[0] === `/v2/${image.repository}/blobs/${digest}`);
      return { digest, requests: ofBlob.length, bytes: ofBlob.reduce((total, { bytes }) => total + bytes, 0) };
    });
  }
}
