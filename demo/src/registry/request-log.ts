import { closeSync, openSync, writeSync } from 'node:fs';
import type { RegistryRequest } from './traffic';

/** A log of what a registry answered, one line a request. */
export class RequestLog {
  private file: number | undefined;

  constructor(path: string) {
    this.file = openSync(path, 'a');
  }

  write({ method, path, range, status, bytes }: RegistryRequest): void {
    if (this.file === undefined) return;
    writeSync(this.file, `${method} ${path} ${range === undefined ? '' : `${range} `}${status} ${bytes}\n`);
  }

  /** Further requests are not written any more. */
  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }
}
