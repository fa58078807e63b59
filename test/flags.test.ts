import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flagsDocument } from './support/flags-document';

it('docs/flags.md tells the flags that there are; UPDATE_DOCS=1 writes it anew', () => {
  const file = join(__dirname, '..', 'docs', 'flags.md');
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, flagsDocument());
  expect(readFileSync(file, 'utf8')).toBe(flagsDocument());
});
