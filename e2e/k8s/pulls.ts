import type { Cluster, ClusterNode } from './cluster';
import type { Kubectl } from './kubectl';
import { TEST_NAMESPACE } from './objects';
import type { Report } from './report';

interface Sent {
  readonly digest: string;
  readonly bytes: number;
  readonly size: number;
}

/** Images that nobody has, pulled by the nodes' own runtimes. */
export class Pulls {
  #count = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly kubectl: Kubectl,
    private readonly nodes: readonly ClusterNode[],
    private readonly report: Report,
  ) {}

  /** One on all nodes at once: each byte leaves the origin once. */
  async once(layerBytes: number): Promise<void> {
    const { nodes, report } = this;
    const before = await this.sent();
    const { failed, retries } = await this.cluster.pullEverywhere(nodes, this.image());
    const size = (layerBytes * 3) / 2 ** 20;
    report.check(`${nodes.length} nodes pull an image of ${size} MiB at once`, failed.length === 0, failed.join(', '));
    report.check('no pull of it had to be tried again', retries === 0, `${retries} tries failed`);
    const known = new Set(before.map(({ digest }) => digest));
    const sent = (await this.sent()).filter(({ digest }) => !known.has(digest));
    const bytes = sent.reduce((sum, blob) => sum + blob.bytes, 0);
    const all = sent.reduce((sum, blob) => sum + blob.size, 0);
    report.check(
      `one copy left the origin: ${bytes} bytes of ${sent.length} blobs of ${all} bytes, ${(bytes / all).toFixed(2)} copies`,
      sent.length === 4 && sent.every((blob) => blob.bytes === blob.size),
      JSON.stringify(sent),
    );
  }

  /** One after the other for as long as something goes on, which must not fail any. */
  async during(what: string, act: () => Promise<void>): Promise<void> {
    const progress = { done: false };
    const acting = act().finally(() => (progress.done = true));
    // Its failure is told below, by the last line.
    acting.catch(() => undefined);
    const failed: string[] = [];
    let pulls = 0;
    let retries = 0;
    do {
      const outcome = await this.cluster.pullEverywhere(this.nodes, this.image());
      failed.push(...outcome.failed);
      retries += outcome.retries;
      pulls += 1;
    } while (!progress.done);
    await acting;
    this.report.check(
      `${what} while ${pulls} images are pulled on ${this.nodes.length} nodes: ` +
        `${failed.length} pulls failed, ${retries} tries were repeated by the kubelet`,
      failed.length === 0,
      failed.join(', '),
    );
  }

  private image(): string {
    this.#count += 1;
    return `dragonfly-test/image-${this.report.run}-${this.#count}:1`;
  }

  private async sent(): Promise<Sent[]> {
    const path = `/api/v1/namespaces/${TEST_NAMESPACE}/services/origin:5000/proxy/sent`;
    return JSON.parse(await this.kubectl.ok(['get', '--raw', path])) as Sent[];
  }
}
