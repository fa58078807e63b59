import { writeFileSync } from 'node:fs';
import type { Host } from './host';
import type { Image } from './image';
import { writeRegistriesConf } from './registries-conf';
import type { User } from './token-server';

/** What podman tells about an image that it has pulled. */
export interface PodmanImage {
  /** The digest of its configuration. */
  readonly id: string;
  /** The digests of its index, if it has one, and of its manifest. */
  readonly digests: readonly string[];
}

/** Debian's podman with folders of its own, which asks a mirror for docker.io, and goes back to the registry for no blob. */
export class Podman {
  /**
   * @param mirror `HOST:PORT`. Default: what the files of the machine say.
   * @param env added to its environment
   */
  constructor(
    private readonly host: Host,
    private readonly mirror?: string,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {
    if (mirror !== undefined) writeRegistriesConf(host.path('podman-registries.conf'), mirror);
  }

  /** Pulls an image of docker.io. */
  async pull(image: Image, limitMs: number, user?: User): Promise<PodmanImage> {
    const reference = `docker.io/${image.repository}:${image.tag}`;
    const auth = Buffer.from(`${user?.username}:${user?.password}`).toString('base64');
    const authFile = this.host.path('podman-auth.json');
    // podman looks its credentials up under the mirror's name.
    writeFileSync(
      authFile,
      JSON.stringify({ auths: user === undefined ? {} : { [this.mirror ?? 'docker.io']: { auth } } }),
    );
    await this.podman(['pull', '--quiet', '--authfile', authFile, reference], limitMs);
    const [found] = JSON.parse(await this.podman(['image', 'inspect', reference])) as {
      Id: string;
      RepoDigests: string[];
    }[];
    if (found === undefined) throw new Error(`podman does not know ${reference} after it has pulled it.`);
    const digests = found.RepoDigests.map((text) => text.split('@')[1] ?? '').sort();
    return { id: `sha256:${found.Id}`, digests };
  }

  /** Removes an image that it has pulled. */
  async remove({ repository, tag }: Image): Promise<void> {
    await this.podman(['image', 'rm', `docker.io/${repository}:${tag}`]);
  }

  private async podman(args: readonly string[], limitMs?: number): Promise<string> {
    const { host } = this;
    // podman wants a run folder whose path has at most 50 characters.
    const folders = [
      '--root',
      host.path('podman'),
      '--runroot',
      `/run/podman-${host.name}`,
      '--tmpdir',
      host.path('podman-tmp'),
    ];
    const how = [...folders, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
    return await host.run(['podman', ...how, ...args], {
      env: {
        ...(this.mirror === undefined ? {} : { CONTAINERS_REGISTRIES_CONF: host.path('podman-registries.conf') }),
        HOME: host.path(),
        ...this.env,
      },
      ...(limitMs === undefined ? {} : { limitMs }),
    });
  }
}
