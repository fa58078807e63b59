import { X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { OriginClient, OriginRules, Relay, Trust } from '@cdk8s-dragonfly/origin';
import { digestOf } from '@cdk8s-dragonfly/protocol';

import {
  BlobAccess,
  ManifestAnswers,
  ManifestStore,
  MirrorServer,
  OwnAccess,
  PATIENCE,
  Pings,
  UnhadBlobs,
  parseTagPolicy,
  parseUpstreams,
} from '../../src/index';
import type { ResponseRecord } from '../../src/index';
import type { OwnAccessOptions } from '../../src/access/own-access';
import { SERVER_LIMITS } from '../../src/mirror/limits';
import { Certificates } from '../../src/proxy/certificates';
import { issueCertificate } from '../../src/proxy/issue-certificate';
import { Proxy } from '../../src/proxy/proxy';
import type { ProxyOptions } from '../../src/proxy/proxy';
import { Pattern } from '../../src/proxy/rules';
import { makeAuthority } from './authority';
import { FakeProvider } from './fake-provider';

/** The bytes of every blob that comes from the swarm. */
export const LAYER = Buffer.from('a layer from the swarm');
export const DIGEST = digestOf(LAYER);
export const BLOB = `/v2/team/app/blobs/${DIGEST}`;

/** What a registry was asked. */
interface Asked {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A mirror with a proxy, and two registries behind it: one over TLS, one without. */
export class ProxyWorld {
  /** The authority of the registries. */
  readonly outer = makeAuthority('ec');
  /** That of the proxy. */
  readonly inner = makeAuthority('rsa');
  /** What the registries were asked since {@link reset}. */
  readonly asked: Asked[] = [];
  readonly records: ResponseRecord[] = [];
  provider = new FakeProvider(() => ({ bytes: LAYER }));
  /** What the registries answer. */
  answer: RequestListener = () => undefined;
  /** The daemon's own. */
  credentials: OwnAccessOptions['credentials'] = [];
  mirror: MirrorServer | undefined;
  private readonly secure: Server;
  private readonly plain: Server;
  private relay: Relay | undefined;
  private tokenServers: OriginClient | undefined;
  private store: ManifestStore | undefined;

  private constructor(private readonly folder: string) {
    const { outer } = this;
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cert = issueCertificate(
      { certificate: new X509Certificate(outer.cert), key: createPrivateKey(outer.key) },
      {
        host: '127.0.0.1',
        publicKey: pair.publicKey,
        notBefore: new Date(Date.now() - 1000),
        notAfter: new Date(Date.now() + 3_600_000),
      },
    );
    const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const listener: RequestListener = (request: IncomingMessage, response) => {
      void text(request).then((body) => {
        const { method = '', url = '', headers } = request;
        this.asked.push({ line: `${method} ${url}`, authorization: headers.authorization, body });
        this.answer(request, response);
      });
    };
    this.secure = createSecureServer({ cert, key }, listener);
    this.plain = createPlainServer(listener);
  }

  static async open(): Promise<ProxyWorld> {
    const world = new ProxyWorld(await mkdtemp(join(tmpdir(), 'proxy-')));
    await writeFile(join(world.folder, 'ca.pem'), world.outer.cert);
    for (const server of [world.secure, world.plain]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return world;
  }

  get securePort(): number {
    return (this.secure.address() as AddressInfo).port;
  }

  get secureHost(): string {
    return `127.0.0.1:${this.securePort}`;
  }

  get plainHost(): string {
    return `127.0.0.1:${(this.plain.address() as AddressInfo).port}`;
  }

  /** Before each test: the registries have been asked nothing, and answer with the path. */
  reset(): void {
    this.asked.length = 0;
    this.records.length = 0;
    this.credentials = [];
    this.provider = new FakeProvider(() => ({ bytes: LAYER }));
    this.answer = (request, response) => response.end(`the registry on ${request.url ?? ''}`);
  }

  /** Starts the mirror with its proxy. @param allow the hosts of this machine that it may ask. @param host where it listens. @returns its port. */
  async start(
    options: Partial<ProxyOptions> = {},
    allow = [this.secureHost, this.plainHost],
    host = '127.0.0.1',
  ): Promise<number> {
    const { folder, inner, provider, records, secureHost } = this;
    const outward = { trust: new Trust([{ matches: (host) => host === secureHost, ca: [join(folder, 'ca.pem')] }]) };
    const [store, relay, tokenServers] = [
      await ManifestStore.open(folder, { warn: () => undefined }),
      new Relay({ outward, firstByteTimeout: 10_000, stallTimeout: 10_000 }),
      new OriginClient({ rules: new OriginRules({}), firstByteTimeout: 2000, stallTimeout: 2000 }),
    ];
    [this.store, this.relay, this.tokenServers] = [store, relay, tokenServers];
    const record = (entry: ResponseRecord): void => void records.push(entry);
    const log = { warn: () => undefined };
    const namesOf = (url: URL): string[] => [url.host];
    const own = new OwnAccess({
      registry: relay,
      tokenServers,
      credentials: this.credentials,
      namesOf,
      configured: [],
      log,
    });
    const access = new BlobAccess('origin');
    const unhad = new UnhadBlobs();
    const policy = parseTagPolicy('revalidate');
    const now = (): number => Date.now();
    const manifests = new ManifestAnswers({ store, policy, access, unhad, provider, anybody: own, now });
    const pings = new Pings(policy.stale);
    const about = (): Promise<undefined> => Promise.resolve(undefined);
    const pulling = { provider, own, access, manifests, pings, unhad, about, record };
    const certificates = Certificates.read(inner.cert, inner.key);
    const proxy = new Proxy({
      rules: [{ pattern: Pattern.read('blobs/sha256.*', 'regx'), useHttps: false, direct: false }],
      hijack: [Pattern.read('^127\\.0\\.0\\.1:', 'regx')],
      certificates: { get: () => certificates },
      outward,
      originRules: new OriginRules({
        allow: allow.map((host) => ({ host: '127.0.0.1', port: Number(host.split(':')[1]) })),
        others: true,
        flag: '--proxy-allow',
      }),
      forAll: true,
      pulling,
      patience: PATIENCE,
      connectTimeout: 2000,
      firstByteTimeout: 10_000,
      stallTimeout: 2000,
      server: SERVER_LIMITS,
      log: { debug: () => undefined, info: () => undefined },
      ...options,
    });
    const upstreams = parseUpstreams([`http://${this.plainHost}`]);
    const parts = { ...pulling, access: new BlobAccess('none'), upstreams, registry: relay };
    this.mirror = new MirrorServer(parts, { proxy });
    return (await this.mirror.start({ host, port: 0 })).port;
  }

  /** After each test. */
  async stop(): Promise<void> {
    const { mirror, relay, store, tokenServers } = this;
    this.mirror = undefined;
    await mirror?.stop();
    await relay?.stop();
    await tokenServers?.stop();
    await store?.stop();
  }

  async close(): Promise<void> {
    for (const server of [this.secure, this.plain]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await rm(this.folder, { recursive: true });
  }
}
