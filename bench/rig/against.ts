import { accessSync, constants, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import type { Host } from '../../e2e/world/host';
import type { Registry } from '../../e2e/world/registry';
import type { Measured, System } from './system';

/** What the folder of a system holds. */
const HOOKS = ['start-centre', 'start-node', 'mirror-url', 'stop'] as const;

type Hook = (typeof HOOKS)[number];

/**
 * Any other system, by four executables in a folder, each run in the network namespace of a host: `start-centre` and `start-node`, which
 * return when what they started takes requests; `mirror-url`, which prints where the node's runtime pulls from; and `stop`, which ends
 * what was started on this host. They find in their environment BENCH_REGISTRY (a URL), BENCH_CENTRE and BENCH_HOST (IP addresses) and
 * BENCH_FOLDER (to write in, their own on each host). What they print as `pid N`, a line each, is measured. They have 30 seconds each, and end when nobody holds their output
 * open: what goes on running writes elsewhere. `bench/against/pull-through` is an example.
 */
export class Against implements System {
  readonly name: string;
  private readonly started: Host[] = [];
  private readonly urls = new Map<Host, string>();
  private readonly measured: Measured[] = [];
  private centre: { readonly host: Host; readonly registry: Registry } | undefined;

  /** @throws Error when an executable is missing. */
  constructor(private readonly folder: string) {
    const missing = HOOKS.filter((hook) => !isExecutable(join(folder, hook)));
    if (missing.length > 0) {
      throw new Error(`--against ${folder}: needs ${HOOKS.join(', ')}, and has no executable ${missing.join(', ')}`);
    }
    this.name = basename(folder);
  }

  async startCentre(host: Host, registry: Registry): Promise<void> {
    this.centre = { host, registry };
    await this.start('start-centre', 'centre', host);
  }

  async startNode(host: Host): Promise<void> {
    await this.start('start-node', 'node', host);
    this.urls.set(host, (await this.hook('mirror-url', host)).trim());
  }

  mirrorUrl(host: Host): string {
    const url = this.urls.get(host);
    if (url === undefined) throw new Error(`${this.name} was not started on ${host.name}`);
    return url;
  }

  traffic(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  processes(): readonly Measured[] {
    return this.measured;
  }

  async stop(): Promise<void> {
    this.measured.length = 0;
    for (const host of this.started.splice(0).reverse()) await this.hook('stop', host);
  }

  private async start(hook: Hook, role: Measured['role'], host: Host): Promise<void> {
    mkdirSync(host.path(this.name), { recursive: true });
    this.started.push(host);
    const printed = await this.hook(hook, host);
    for (const [, pid] of printed.matchAll(/^pid (\d+)$/gm)) this.measured.push({ role, pid: Number(pid) });
  }

  private async hook(name: Hook, host: Host): Promise<string> {
    if (this.centre === undefined) throw new Error('the centre is started first');
    const env = {
      BENCH_REGISTRY: this.centre.registry.url,
      BENCH_CENTRE: this.centre.host.ip,
      BENCH_HOST: host.ip,
      BENCH_FOLDER: host.path(this.name),
    };
    return await host.run([resolve(this.folder, name)], { env });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
