import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The props of the public API by interface, as API.md tells them, which is made by jsii and which `scripts/check.js` keeps fresh. */
export function publicProps(): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(join(__dirname, '..', '..', 'API.md'), 'utf8');
  return new Map(
    text.split('\n## ').flatMap((section) => {
      const [name = ''] = section.split('\n');
      const rows = section.split('\n| Prop | Type | Default | What |\n')[1];
      if (rows === undefined) return [];
      return [[name, [...rows.matchAll(/^\| `(\w+)` \|/gm)].map(([, prop]) => prop ?? '')] as const];
    }),
  );
}
