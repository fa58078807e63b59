import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { golden } from './support/golden';
import { schemaFaults } from './support/strict';
import { parseManifests } from './support/synth';

const EXAMPLES = join(__dirname, '..', 'examples');
const names = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, 'main.ts')));

/** What an example writes, all its files in a row. */
function synthesized(name: string): string {
  const outdir = mkdtempSync(join(tmpdir(), 'dragonfly-example-'));
  const before = process.env['CDK8S_OUTDIR'];
  process.env['CDK8S_OUTDIR'] = outdir;
  try {
    jest.isolateModules(() => jest.requireActual(join(EXAMPLES, name, 'main.ts')));
    return readdirSync(outdir)
      .map((file) => readFileSync(join(outdir, file), 'utf8'))
      .join('---\n');
  } finally {
    if (before === undefined) delete process.env['CDK8S_OUTDIR'];
    else process.env['CDK8S_OUTDIR'] = before;
    rmSync(outdir, { recursive: true });
  }
}

it('there are seven', () => {
  expect(names.sort()).toEqual([
    'air-gapped',
    'classic',
    'high-availability',
    'minimal',
    'node-pools',
    'platform-app',
    'private-registry',
  ]);
});

it.each(names)('the example %s writes the text in test/golden/examples', (name) => {
  mkdirSync(join(__dirname, 'golden', 'examples'), { recursive: true });
  const text = synthesized(name);
  expect(text).toBe(golden(join('examples', name), text));
});

it('all of them keep to the schema of Kubernetes 1.27', () => {
  expect(schemaFaults(names.flatMap((name) => parseManifests(synthesized(name))))).toEqual([]);
});
