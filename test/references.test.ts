import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flagsDocument } from './support/flags-document';
import { metricsDocument } from './support/metrics-document';

it.each([
  ['flags.md', flagsDocument],
  ['metrics.md', metricsDocument],
])('docs/%s tells what there is; UPDATE_DOCS=1 writes it anew', (name, document) => {
  const file = join(__dirname, '..', 'docs', name);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, document());
  expect(readFileSync(file, 'utf8')).toBe(document());
});
