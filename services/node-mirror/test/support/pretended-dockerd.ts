import { readFile } from 'node:fs/promises';
import type { Dockerd } from '../../src/docker/dockerd';
import type { EngineInfo } from '../../src/docker/engine-api';
import type { Proxies } from '../../src/docker/proxy-edits';
import { Refusal } from '../../src/refusal';

/** Some of the keys that dockerd knows. */
const KNOWN = new Set([
  ...['debug', 'dns', 'features', 'insecure-registries', 'labels', 'live-restore', 'log-driver', 'log-opts'],
  ...['max-concurrent-downloads', 'mtu', 'proxies', 'registry-mirrors', 'shutdown-timeout'],
]);

interface File {
  readonly 'registry-mirrors'?: readonly unknown[];
  readonly 'insecure-registries'?: readonly string[];
  readonly proxies?: Proxies;
}

/** Reads its file as dockerd 20.10 does at SIGHUP: silent about what it refuses, and slow to forget. */
export class PretendedDockerd implements Dockerd {
  readonly pid = 7;
  version = '20.10.24';
  /** What its command line says. */
  flags: Readonly<Record<string, readonly string[]>> = {};
  environment: readonly string[] = [];
  /** The mirrors in force. */
  inForce: readonly string[] = [];
  insecure: readonly string[] = [];
  proxies: Proxies = {};
  liveRestore = true;
  /** How often it was told to reload. */
  reloads = 0;
  /** How often it was restarted. */
  restarts = 0;
  readsTheFile = true;
  /** When set: it keeps its settings whatever the file says. */
  deaf = false;
  /** When set: it refuses keys that it does not know. */
  strict = false;
  /** Why it cannot be restarted. */
  noService: string | undefined;
  /** When set, a start fails with this, once, and nobody answers until the next. */
  startFails: string | undefined;
  /** Called before each call of the port, with its name. */
  onCall: (call: string) => void = () => undefined;
  private down = false;

  constructor(private readonly file: string) {}

  async prepareRestart(): Promise<void> {
    if (this.noService !== undefined) throw new Refusal(this.noService);
    await Promise.resolve();
  }

  /** Starts again: only the file counts. */
  async restart(): Promise<void> {
    this.onCall('restart');
    this.restarts += 1;
    const { startFails } = this;
    this.startFails = undefined;
    this.down = startFails !== undefined;
    if (startFails !== undefined) throw new Refusal(startFails);
    this.inForce = [];
    this.insecure = [];
    const document = await this.read();
    this.proxies = document?.proxies ?? {};
  }

  valuesOf(...names: readonly string[]): readonly string[] {
    return names.flatMap((name) => this.flags[name] ?? []);
  }

  async environmentProxies(): Promise<readonly string[]> {
    return Promise.resolve(this.environment);
  }

  reads(): Promise<boolean> {
    return Promise.resolve(this.readsTheFile);
  }

  async info(): Promise<EngineInfo> {
    this.onCall('info');
    if (this.down) throw new Refusal('dockerd cannot be asked');
    const { version, inForce: mirrors, proxies, liveRestore } = this;
    const insecure = [...this.insecure, '127.0.0.0/8'];
    return Promise.resolve({ version, mirrors, insecure, proxies, liveRestore });
  }

  async inspect(): Promise<void> {
    this.onCall('inspect');
    await Promise.resolve();
  }

  async reload(): Promise<void> {
    this.onCall('reload');
    this.reloads += 1;
    if (!this.deaf) await this.read();
  }

  /** @returns the document, when it is taken */
  private async read(): Promise<File | undefined> {
    let document: unknown;
    try {
      document = JSON.parse(await readFile(this.file, 'utf8'));
    } catch {
      return undefined;
    }
    if (typeof document !== 'object' || document === null) return undefined;
    if (this.strict && Object.keys(document).some((key) => !KNOWN.has(key))) return undefined;
    const file: File = document;
    const { 'registry-mirrors': mirrors, 'insecure-registries': insecure } = file;
    if (Array.isArray(mirrors)) this.inForce = [...new Set(mirrors.map((m) => `${String(m).replace(/\/$/, '')}/`))];
    if (insecure !== undefined) this.insecure = insecure;
    return file;
  }
}
