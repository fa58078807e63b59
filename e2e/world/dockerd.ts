import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Containerd } from './containerd';
import type { Daemon } from './daemon';
import type { Host } from './host';
import type { Image } from './image';
import type { User } from './token-server';

/** What docker tells about an image that it has pulled. */
export interface DockerImage {
  /** The digest of its configuration. */
  readonly id: string;
  /** The digest of its manifest, or of its index if it has one. */
  readonly digest: string;
  /** SHA-256 of each layer's tar archive. */
  readonly diffIds: readonly string[];
}

export interface DockerdOptions {
  /** Default: `vfs`, which works on any file system, and copies a whole image for each of its layers. */
  readonly storageDriver?: 'vfs' | 'overlay2';
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Debian's dockerd with folders of its own. */
export class Dockerd {
  private constructor(
    private readonly host: Host,
    private readonly daemon: Daemon,
  ) {}

  /** @param configText the content of its `daemon.json` */
  static async start(host: Host, configText: string, options: DockerdOptions = {}): Promise<Dockerd> {
    // Its own containerd: it would otherwise use one that it finds at the default socket.
    const containerd = await Containerd.start(host);
    writeFileSync(host.path('daemon.json'), configText);
    const daemon = host.start(
      'dockerd',
      [
        'dockerd',
        ...['--config-file', host.path('daemon.json')],
        ...['--host', `unix://${host.path('docker.sock')}`],
        ...['--pidfile', host.path('docker.pid')],
        ...['--data-root', host.path('docker')],
        ...['--exec-root', host.path('docker-exec')],
        ...['--containerd', containerd.socket],
        ...['--storage-driver', options.storageDriver ?? 'vfs'],
        '--bridge=none',
        '--iptables=false',
      ],
      options.env,
    );
    const dockerd = new Dockerd(host, daemon);
    await daemon.ready(() => dockerd.mirrors());
    return dockerd;
  }

  get configFile(): string {
    return this.host.path('daemon.json');
  }

  get socket(): string {
    return this.host.path('docker.sock');
  }

  get pidFile(): string {
    return this.host.path('docker.pid');
  }

  /** The process, which stays the same for as long as dockerd is not restarted. */
  get pid(): number {
    return this.daemon.running ? this.daemon.pid : 0;
  }

  configText(): string {
    return readFileSync(this.configFile, 'utf8');
  }

  /** The mirrors in force, as dockerd itself says. */
  async mirrors(): Promise<string[]> {
    const answer = await this.docker(['info', '--format', '{{json .RegistryConfig.Mirrors}}']);
    return (JSON.parse(answer) as string[] | null) ?? [];
  }

  /** Pulls an image. @param registry as image names spell it; default: docker.io */
  async pull(image: Image, limitMs: number, user?: User, registry?: string): Promise<DockerImage> {
    const reference = `${registry === undefined ? '' : `${registry}/`}${image.repository}:${image.tag}`;
    const auth = Buffer.from(`${user?.username}:${user?.password}`).toString('base64');
    const auths = user === undefined ? {} : { [registry ?? 'https://index.docker.io/v1/']: { auth } };
    mkdirSync(this.host.path('docker-client'), { recursive: true });
    writeFileSync(this.host.path('docker-client', 'config.json'), JSON.stringify({ auths }));
    await this.docker(['pull', '--quiet', reference], limitMs);
    const [found] = JSON.parse(await this.docker(['image', 'inspect', reference])) as {
      Id: string;
      RepoDigests: string[];
      RootFS: { Layers: string[] };
    }[];
    if (found === undefined) throw new Error(`docker does not know ${reference} after it has pulled it.`);
    return { id: found.Id, digest: found.RepoDigests[0]?.split('@')[1] ?? '', diffIds: found.RootFS.Layers };
  }

  /** What its client says. @throws Error with what it said when it fails */
  async docker(args: readonly string[], limitMs?: number): Promise<string> {
    // The builder of the engine itself: BuildKit is another package.
    const env = { DOCKER_CONFIG: this.host.path('docker-client'), DOCKER_BUILDKIT: '0' };
    return await this.host.run(['docker', '--host', `unix://${this.socket}`, ...args], {
      env,
      ...(limitMs === undefined ? {} : { limitMs }),
    });
  }
}
