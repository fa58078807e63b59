import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { Daemon } from './daemon';
import { criVersion, pullByCri } from './cri';
import type { Host } from './host';
import { blobsOf, type Image } from './image';
import type { User } from './token-server';

export interface ContainerdOptions {
  /** The mirror that the `hosts.toml` of docker.io names. Default: no `hosts.toml`. */
  readonly mirror?: string;
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of what it keeps: another, and it has nothing yet. Default: `containerd`. */
  readonly name?: string;
  /** What lays the layers of an image over one another. Default `native`, which copies them and works on any file system; nodes have `overlayfs`. */
  readonly snapshotter?: 'native' | 'overlayfs';
}

/** What containerd tells about an image that it has pulled. */
export interface ContainerdImage {
  /** The digest of its configuration. */
  readonly id: string;
  /** The digest of its manifest, or of its index if it has one. */
  readonly digest: string;
}

/** Debian's containerd with folders of its own. */
export class Containerd {
  private daemon: Daemon | undefined;

  private constructor(
    private readonly host: Host,
    private readonly name: string,
  ) {}

  static async start(host: Host, options: ContainerdOptions = {}): Promise<Containerd> {
    const containerd = new Containerd(host, options.name ?? 'containerd');
    const text = (path: string): string => JSON.stringify(path);
    writeFileSync(
      host.path('containerd.toml'),
      [
        'version = 2',
        `root = ${text(containerd.root)}`,
        `state = ${text(host.path('containerd-state'))}`,
        '[debug]',
        'level = "warn"',
        '[grpc]',
        `address = ${text(containerd.socket)}`,
        '[plugins."io.containerd.internal.v1.opt"]',
        `path = ${text(host.path('containerd-opt'))}`,
        '[plugins."io.containerd.grpc.v1.cri".containerd]',
        `snapshotter = ${text(options.snapshotter ?? 'native')}`,
        '[plugins."io.containerd.grpc.v1.cri".cni]',
        `conf_dir = ${text(host.path('cni'))}`,
        '[plugins."io.containerd.grpc.v1.cri".registry]',
        `config_path = ${text(host.path('certs.d'))}`,
        '',
      ].join('\n'),
    );
    if (options.mirror !== undefined) containerd.writeHostsToml(options.mirror);
    const argv = ['containerd', '--config', host.path('containerd.toml')];
    const daemon = host.start('containerd', argv, options.env);
    containerd.daemon = daemon;
    await daemon.ready(() => criVersion(containerd.socket));
    return containerd;
  }

  /** Ends it; its folder stays. */
  async stop(): Promise<void> {
    await this.daemon?.stop();
  }

  /** @throws Error when it has not started. */
  get pid(): number {
    if (this.daemon === undefined) throw new Error(`${this.name} has not started`);
    return this.daemon.pid;
  }

  /** Its API socket. */
  get socket(): string {
    return this.host.path('containerd.sock');
  }

  /** Pulls an image of docker.io as kubelet would. */
  async pull(image: Image, limitMs: number, user?: User): Promise<ContainerdImage> {
    const reference = `docker.io/${image.repository}:${image.tag}`;
    const id = await pullByCri(this.socket, reference, limitMs, user);
    const list = await this.ctr('--namespace', 'k8s.io', 'images', 'list');
    const line = list.split('\n').find((candidate) => candidate.startsWith(`${reference} `));
    return { id, digest: line?.split(/\s+/)[2] ?? '' };
  }

  /** SHA-256 of each blob of the image, computed from the bytes in containerd's store, in the order of the manifest. */
  async storedDigests(image: Image): Promise<string[]> {
    const store = this.host.path(this.name, 'io.containerd.content.v1.content', 'blobs', 'sha256');
    return await Promise.all(
      blobsOf(image).map(async ({ digest }) => {
        const hash = createHash('sha256');
        await pipeline(createReadStream(`${store}/${digest.slice('sha256:'.length)}`), hash);
        return `sha256:${hash.digest('hex')}`;
      }),
    );
  }

  /** Removes an image that it has pulled, and its blobs. */
  async remove({ repository, tag }: Image): Promise<void> {
    await this.ctr('--namespace', 'k8s.io', 'images', 'rm', '--sync', `docker.io/${repository}:${tag}`);
  }

  private get root(): string {
    return this.host.path(this.name);
  }

  private writeHostsToml(mirror: string): void {
    const folder = this.host.path('certs.d', 'docker.io');
    mkdirSync(folder, { recursive: true });
    const lines = [
      'server = "https://registry-1.docker.io"',
      `[host.${JSON.stringify(mirror)}]`,
      'capabilities = ["pull", "resolve"]',
    ];
    writeFileSync(`${folder}/hosts.toml`, `${lines.join('\n')}\n`);
  }

  private async ctr(...args: string[]): Promise<string> {
    return await this.host.run(['ctr', '--address', this.socket, ...args]);
  }
}
