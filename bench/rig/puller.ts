import { request } from 'node:http';
import { join } from 'node:path';

import type { Daemon } from '../../e2e/world/daemon';
import type { Host } from '../../e2e/world/host';
import type { Image } from '../../e2e/world/image';

const PORT = 9000;

/** How long one pull may take, in ms. */
const LIMIT = 240_000;

/** How one blob came. Times are in milliseconds from its request. */
export interface BlobPull {
  /** Until the first byte of the body. */
  readonly firstByte: number;
  readonly ms: number;
}

/** How an image came; its digests were right. */
export interface ImagePull {
  readonly ms: number;
  /** In the order of the manifest. */
  readonly layers: readonly BlobPull[];
}

/** A blob by its URL and what it must be. */
export interface WantedBlob {
  readonly base: string;
  readonly path: string;
  readonly digest: string;
  readonly size: number;
}

/** Something that pulls as containerd does: a process of its own on a host. */
export class Puller {
  private constructor(
    private readonly host: Host,
    readonly daemon: Daemon,
  ) {}

  static async start(host: Host): Promise<Puller> {
    const daemon = host.start('puller', [process.execPath, join(__dirname, 'pull-process.js')]);
    await daemon.ready(async () => (await fetch(`http://${host.ip}:${PORT}/`)).ok || undefined);
    return new Puller(host, daemon);
  }

  /** @throws Error when a request fails or a digest is wrong: it tries nothing twice. */
  async pull(base: string, image: Image): Promise<ImagePull> {
    const { repository, tag, manifest, config, layers } = image;
    return (await this.order({ order: { base, repository, tag, manifest, config, layers } })) as ImagePull;
  }

  /** @throws Error as {@link pull} does. */
  async blob(blob: WantedBlob): Promise<BlobPull> {
    return (await this.order({ blob })) as BlobPull;
  }

  private async order(order: object): Promise<unknown> {
    return await new Promise((resolve, reject) => {
      const asked = request(
        { host: this.host.ip, port: PORT, method: 'POST', path: '/pull', timeout: LIMIT },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part: string) => (text += part));
          answer.on('error', reject);
          answer.on('end', () => {
            if (answer.statusCode === 200) resolve(JSON.parse(text));
            else reject(new Error(`${this.host.name}: ${text}`));
          });
        },
      );
      asked.on('timeout', () => asked.destroy(new Error(`${this.host.name}: no pull within ${LIMIT} ms`)));
      asked.on('error', reject);
      asked.end(JSON.stringify(order));
    });
  }
}
