import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scratchFolder } from './scratch';

/** The file system of a pretended node, in a temporary folder. */
export class HostTree {
  readonly root = scratchFolder('node-mirror-');

  /** Puts a file there, and the folders above it. */
  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Every file with its content, every empty folder as `undefined`. */
  get all(): Readonly<Record<string, string | undefined>> {
    const found: Record<string, string | undefined> = {};
    const walk = (folder: string): void => {
      const names = readdirSync(join(this.root, folder));
      if (names.length === 0) found[folder] = undefined;
      for (const name of names) {
        const path = `${folder}/${name}`;
        if (statSync(join(this.root, path)).isDirectory()) walk(path);
        else found[path] = this.read(path);
      }
    };
    walk('');
    return found;
  }

  clear(): void {
    for (const name of readdirSync(this.root)) rmSync(join(this.root, name), { recursive: true });
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
