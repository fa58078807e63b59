import type { Containerd } from '../../src/containerd/containerd';
import { Refusal } from '../../src/refusal';

/** A containerd that reads no file: what matters is what it is asked to do. */
export class PretendedContainerd implements Containerd {
  pid = 7;
  startedAt = 0;
  restarts = 0;
  cri = true;
  pods = true;
  /** What it says of a config.toml that it is shown. */
  complaint: string | undefined;

  /** Why it cannot be restarted. */
  noService: string | undefined;

  constructor(readonly version = '1.6.20') {}

  get identity(): string {
    return `${this.pid} 1`;
  }

  async reads(): Promise<boolean> {
    return await Promise.resolve(true);
  }

  async hasCri(): Promise<boolean> {
    return await Promise.resolve(this.cri);
  }

  async hasPods(): Promise<boolean> {
    return await Promise.resolve(this.pods);
  }

  async inspect(): Promise<void> {
    if (this.complaint !== undefined) throw new Refusal(this.complaint);
    await Promise.resolve();
  }

  async prepareRestart(): Promise<void> {
    if (this.noService !== undefined) throw new Refusal(this.noService);
    await Promise.resolve();
  }

  async restart(): Promise<void> {
    this.restarts += 1;
    this.pid += 1;
    await Promise.resolve();
  }

  async isBack(): Promise<boolean> {
    return await Promise.resolve(this.cri);
  }
}
