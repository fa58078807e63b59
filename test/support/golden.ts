import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The text of `test/golden/<name>.yaml`. With `UPDATE_GOLDEN=1` in the environment `actual` is written there first: for a change that is
 * meant, to be read as a diff.
 */
export function golden(name: string, actual: string): string {
  const file = join(__dirname, '..', 'golden', `${name}.yaml`);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(file, actual);
  }
  return readFileSync(file, 'utf8');
}
