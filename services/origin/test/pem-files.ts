import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files with certificates and keys; removed after the tests of a file. */
export function usePem(): { readonly pem: (text: string) => string } {
  let folder: string | undefined;
  let files = 0;
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });
  return {
    /** Writes a file and gives its path. */
    pem: (text) => {
      folder ??= mkdtempSync(join(tmpdir(), 'pem-'));
      files += 1;
      const path = join(folder, `${files}.pem`);
      writeFileSync(path, text);
      return path;
    },
  };
}
