import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BlobProvider } from '@cdk8s-dragonfly/engine';
import { Relay } from '@cdk8s-dragonfly/origin';
import { BlobAccess, MirrorServer, parseUpstreams } from '../../src/index';
import type { BlobAuthorization, Patience, ResponseRecord } from '../../src/index';

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

  /** @param registries further values of `--registry`; `REGISTRY` in them is the host of the registry. */
  static async start(
    provider: BlobProvider,
    registry: RequestListener,
    options: {
      readonly patience?: Patience;
      readonly registries?: readonly string[];
      /** Default `none`. */
      readonly authorization?: BlobAuthorization;
    } = {},
  ): Promise<MirrorBench> {
    const bench = new MirrorBench(registry);
    bench.#registry.listen(0, '127.0.0.1');
    await once(bench.#registry, 'listening');
    bench.registryHost = `127.0.0.1:${(bench.#registry.address() as AddressInfo).port}`;
    const more = (options.registries ?? []).map((value) => value.replace('REGISTRY', bench.registryHost));
    const record = (entry: ResponseRecord): void => {
      bench.records.push(entry);
      for (const watcher of bench.#watchers.splice(0)) watcher();
    };
    const upstreams = parseUpstreams([`http://${bench.registryHost}`, ...more]);
    const access = new BlobAccess(options.authorization ?? 'none', bench.#relay);
    const parts = { upstreams, provider, registry: bench.#relay, access, record };
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
    await this.#relay.stop();
    await this.stopRegistry();
  }
}
