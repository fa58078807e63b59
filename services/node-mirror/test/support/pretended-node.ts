import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DockerRuntime, type DockerSettings } from '../../src/docker/docker-runtime';
import { NodeMirror, type NodeMirrorPorts } from '../../src/node-mirror';
import { type Modes, modesOf } from './modes';
import { PretendedDockerd } from './pretended-dockerd';
import { scratchFolder } from './scratch';

export const MIRROR = 'http://127.0.0.1:65001';

/** A node's root in a temporary folder, with a pretended dockerd. */
export class PretendedNode {
  readonly root = scratchFolder('node-mirror-');
  readonly file = join(this.root, 'etc/docker/daemon.json');
  readonly dockerd = new PretendedDockerd(this.file);
  dockerRuns = true;
  reloadTimeoutMs = 100;
  /** What was said to the operator. */
  readonly said: string[] = [];

  constructor() {
    mkdirSync(join(this.root, 'etc'));
  }

  /** Puts the file there; `undefined`: no file and no folder. dockerd is started with it. */
  async give(content: Buffer | string | undefined): Promise<this> {
    rmSync(dirname(this.file), { recursive: true, force: true });
    if (content !== undefined) {
      mkdirSync(dirname(this.file));
      writeFileSync(this.file, content);
      chmodSync(this.file, 0o640);
    }
    await this.dockerd.restart();
    this.dockerd.reloads = 0;
    this.dockerd.restarts = 0;
    return this;
  }

  /** The file as text; `undefined`: there is none. */
  get text(): string | undefined {
    return existsSync(this.file) ? readFileSync(this.file, 'utf8') : undefined;
  }

  get bytes(): Buffer | undefined {
    return existsSync(this.file) ? readFileSync(this.file) : undefined;
  }

  write(text: string): void {
    writeFileSync(this.file, text);
  }

  /** The names in the file's folder; `undefined`: there is no folder. */
  get names(): string[] | undefined {
    return existsSync(dirname(this.file)) ? readdirSync(dirname(this.file)).sort() : undefined;
  }

  /** The modes against this node's docker: each says its lines into `said`, and throws what was refused. */
  mirror(mirror = MIRROR, ports: Partial<NodeMirrorPorts> = {}, wishes: Partial<DockerSettings> = {}): Modes {
    const settings: DockerSettings = {
      hostRoot: this.root,
      config: '/etc/docker/daemon.json',
      socket: '/var/run/docker.sock',
      pidFile: '/var/run/docker.pid',
      mirror,
      registries: ['docker.io'],
      insecure: [],
      restart: false,
      ...wishes,
    };
    const runtime = new DockerRuntime(settings, () => Promise.resolve(this.dockerRuns ? this.dockerd : undefined));
    const nodeMirror = new NodeMirror(
      [runtime],
      { mirror, waitMs: 0, reloadTimeoutMs: this.reloadTimeoutMs, auto: false },
      { waitForMirror: () => Promise.resolve(), ...ports },
    );
    return modesOf(nodeMirror, (line) => this.said.push(line));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
