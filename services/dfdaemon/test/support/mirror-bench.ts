import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobProvider, Outlook } from '@cdk8s-dragonfly/engine';
import { FreshFiles, OriginClient, OriginRules, Relay, TokenHosts } from '@cdk8s-dragonfly/origin';
import {
  BlobAccess,
  BlobRights,
  DockerCredentials,
  ManifestAnswers,
  ManifestStore,
  MirrorServer,
  OwnAccess,
  Pings,
  UnhadBlobs,
  aboutDaemon,
  parseTagPolicy,
  parseUpstreams,
} from '../../src/index';
import type { BlobAuthorization, Patience, ResponseRecord } from '../../src/index';

/** How a {@link MirrorBench} is set up. */
export interface BenchOptions {
  readonly patience?: Patience;
  /** Further values of `--registry`; `REGISTRY` in them is the host of the registry. */
  readonly registries?: readonly string[];
  /** Default `none`. */
  readonly authorization?: BlobAuthorization;
  /** `--tag-policy`. Default `revalidate`. */
  readonly policy?: string;
  /** A docker config.json. Default: none. */
  readonly auth?: string | readonly string[];
  /** `--token-server`. */
  readonly tokenServer?: readonly string[];
  /** Default: a free one. */
  readonly registryPort?: number;
  /** Where manifests are kept. Default: a new folder, that goes with the bench. */
  readonly home?: string;
}

/** What a registry of a {@link MirrorBench} was asked. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
}

/** A mirror on a real port, in front of a registry on another. */
export class MirrorBench {
  readonly asked: Asked[] = [];
  readonly records: ResponseRecord[] = [];
  readonly #relay = new Relay({ firstByteTimeout: 2_000, stallTimeout: 2_000 });
  readonly #registry: Server;
  readonly #tokenServers = new OriginClient({
    rules: new OriginRules({ allow: [{ host: '127.0.0.1' }] }),
    firstByteTimeout: 2_000,
    stallTimeout: 2_000,
  });
  readonly #home = mkdtempSync(join(tmpdir(), 'mirror-bench-'));
  /** What the daemon's own access warned of. */
  readonly warnings: object[] = [];
  /** The clock of the policy for tags, in milliseconds. */
  now = 1_000_000;
  #manifests: ManifestStore | undefined;
  #mirror: MirrorServer | undefined;
  #watchers: (() => void)[] = [];
  port = 0;
  registryHost = '';

  private constructor(registry: RequestListener) {
    this.#registry = createServer((request: IncomingMessage, response) => {
      const { method = '', url = '', rawHeaders } = request;
      this.asked.push({ method, url, rawHeaders });
      registry(request, response);
    });
  }

  static async start(
    provider: BlobProvider & Outlook,
    registry: RequestListener,
    options: BenchOptions = {},
  ): Promise<MirrorBench> {
    const bench = new MirrorBench(registry);
    bench.#registry.listen(options.registryPort ?? 0, '127.0.0.1');
    await once(bench.#registry, 'listening');
    bench.registryHost = `127.0.0.1:${(bench.#registry.address() as AddressInfo).port}`;
    const more = (options.registries ?? []).map((value) => value.replace('REGISTRY', bench.registryHost));
    const record = (entry: ResponseRecord): void => {
      bench.records.push(entry);
      for (const watcher of bench.#watchers.splice(0)) watcher();
    };
    const upstreams = parseUpstreams([`http://${bench.registryHost}`, ...more]);
    const access = new BlobAccess(options.authorization ?? 'none', new BlobRights(() => bench.now));
    const { auth = [] } = options;
    const own = new OwnAccess({
      registry: bench.#relay,
      tokenServers: bench.#tokenServers,
      credentials: [auth]
        .flat()
        .map((path) => new FreshFiles({ paths: [path], parse: (text) => DockerCredentials.parse(text) })),
      namesOf: (url) => [url.host, ...[...upstreams.byHost].flatMap(([host, one]) => (one === url ? [host] : []))],
      configured: [upstreams.default, ...upstreams.byHost.values()],
      tokenHosts: new TokenHosts(options.tokenServer),
      log: { warn: (fields, message) => bench.warnings.push({ ...fields, message }) },
    });
    const home = options.home ?? bench.#home;
    bench.#manifests = await ManifestStore.open(home, { warn: () => undefined });
    const unhad = new UnhadBlobs();
    const manifests = new ManifestAnswers({
      store: bench.#manifests,
      policy: parseTagPolicy(options.policy ?? 'revalidate'),
      access,
      unhad,
      provider,
      anybody: own,
      now: () => bench.now,
    });
    const about = aboutDaemon({
      argv: ['--registry', 'https://user:s3cret@r.example'],
      env: { HOME: '/root', API_TOKEN: 's3cret', HTTPS_PROXY: 'http://me:s3cret@proxy.example' },
      version: '1.2.3',
      reach: () => Promise.resolve({ version: '1.2.3', supernodes: [], registries: [] }),
      blobs: () => [],
    });
    const pings = new Pings(parseTagPolicy(options.policy ?? 'revalidate').stale);
    const parts = { upstreams, provider, registry: bench.#relay, own, access, manifests, pings, unhad, about, record };
    bench.#mirror = new MirrorServer(parts, options.patience === undefined ? {} : { patience: options.patience });
    bench.port = (await bench.#mirror.start({ host: '127.0.0.1', port: 0 })).port;
    return bench;
  }

  /** The record of the request number `index`, when its answer has ended. */
  async record(index = 0): Promise<ResponseRecord> {
    for (;;) {
      const entry = this.records[index];
      if (entry !== undefined) return entry;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** Closes the registry's port. */
  async stopRegistry(): Promise<void> {
    if (!this.#registry.listening) return;
    this.#registry.closeAllConnections();
    await new Promise<void>((resolve) => this.#registry.close(() => resolve()));
  }

  async stopMirror(grace?: number): Promise<void> {
    await this.#mirror?.stop(grace);
  }

  async stop(): Promise<void> {
    await this.stopMirror();
    await this.#manifests?.stop();
    await this.#relay.stop();
    await this.#tokenServers.stop();
    rmSync(this.#home, { recursive: true, force: true });
    await this.stopRegistry();
  }
}
