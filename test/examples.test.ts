import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { golden } from './support/golden';
import { parseManifests } from './support/synth';
import type { Manifest } from './support/synth';

const EXAMPLES = join(__dirname, '..', 'examples');
const names = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, 'main.ts')));

const files = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** What an example writes, all its files in a row. */
function synthesized(name: string): string {
  const outdir = mkdtempSync(join(tmpdir(), 'dragonfly-example-'));
  const before = process.env['CDK8S_OUTDIR'];
  process.env['CDK8S_OUTDIR'] = outdir;
  try {
    jest.isolateModules(() => jest.requireActual(join(EXAMPLES, name, 'main.ts')));
    return files(outdir)
      .map((file) => readFileSync(file, 'utf8'))
      .join('---\n');
  } finally {
    if (before === undefined) delete process.env['CDK8S_OUTDIR'];
    else process.env['CDK8S_OUTDIR'] = before;
    rmSync(outdir, { recursive: true });
  }
}

it('there are eight', () => {
  expect(names.sort()).toEqual([
    'air-gapped',
    'classic',
    'gitops',
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

it('a folder of the manifests repository has a kustomization.yaml with one file for each object', () => {
  const manifests = parseManifests(synthesized('gitops')) as (Manifest & { readonly resources?: string[] })[];
  // The files of a folder come in the order of their names, which begin with a capital letter: its kustomization.yaml ends it.
  const ends = manifests.flatMap(({ kind }, i) => (kind === 'Kustomization' ? [i] : []));
  const clusters = ends.map((end, i) => manifests.slice((ends[i - 1] ?? -1) + 1, end + 1));
  expect(clusters).toHaveLength(2);
  for (const cluster of clusters) {
    const objects = cluster.slice(0, -1).map(({ kind, metadata }) => `${kind}.${metadata.name}.k8s.yaml`);
    expect(cluster.at(-1)?.resources).toEqual(objects);
    expect(objects).toContain('Namespace.dragonfly-system.k8s.yaml');
  }
});
