import { readFile } from 'node:fs/promises';
import type { Dockerd } from '../../src/docker/dockerd';

/** Reads its file as dockerd 20.10 does at SIGHUP: silent about what it refuses, and slow to forget. */
export class PretendedDockerd implements Dockerd {
  readonly pid = 7;
  version = '20.10.24';
  flagMirrors: readonly string[] = [];
  /** The mirrors in force. */
  inForce: readonly string[] = [];
  /** How often it was told to reload. */
  reloads = 0;
  readsTheFile = true;
  /** When set: it keeps its settings whatever the file says. */
  deaf = false;
  /** Called before each call of the port, with its name. */
  onCall: (call: string) => void = () => undefined;

  constructor(private readonly file: string) {}

  /** Starts again: only the file counts. */
  async restart(): Promise<void> {
    this.inForce = [];
    await this.read();
  }

  reads(): Promise<boolean> {
    return Promise.resolve(this.readsTheFile);
  }

  async mirrors(): Promise<readonly string[]> {
    this.onCall('mirrors');
    return Promise.resolve(this.inForce);
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

  private async read(): Promise<void> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch {
      return;
    }
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof document !== 'object' || document === null || !('registry-mirrors' in document)) return;
    const list: unknown = document['registry-mirrors'];
    if (Array.isArray(list)) this.inForce = [...new Set(list.map((m) => `${String(m).replace(/\/$/, '')}/`))];
  }
}
