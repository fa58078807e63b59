import { cpSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FreshApp } from './fresh-app';

const ROOT = resolve(__dirname, '../..');
const LIMIT_MS = 480_000;

/** What the README has in its section for apps. */
function readmeApp(): string {
  const [, code] = /```ts\n(import \{ App[^]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
  if (code === undefined) throw new Error('The README has no app any more.');
  return code;
}

/**
 * The strict options of a compiler of today; the types of the libraries are checked with the app. Without exactOptionalPropertyTypes and
 * verbatimModuleSyntax, which the types of cdk8s-plus-27 themselves do not keep to.
 */
const STRICT = {
  strict: true,
  noEmit: true,
  module: 'nodenext',
  skipLibCheck: false,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  isolatedModules: true,
  target: 'es2022',
  lib: ['es2022'],
  types: [],
};

describe('the package in an app', () => {
  let app: FreshApp;

  beforeAll(async () => {
    app = await FreshApp.create(['typescript6@npm:typescript@6.0']);
  }, LIMIT_MS);

  afterAll(() => app.remove());

  test('is installed without a warning', () => {
    expect(app.warnings).toBe('');
  });

  test('is compiled and synthesized as the README says, in an app of `cdk8s init typescript-app`', async () => {
    app.write('main.ts', readmeApp());
    await app.run('npm', 'run', '--silent', 'compile');
    await app.run('npx', 'cdk8s', 'synth', '--no-check-upgrade');
    const kinds = [...app.read('dist', 'dragonfly.k8s.yaml').matchAll(/^kind: (.*)$/gm)].map(([, kind]) => kind);
    expect(kinds.sort()).toEqual(['ConfigMap', 'DaemonSet', 'Deployment', 'Job', 'Job', 'Service']);
  });

  test('gives the same from JavaScript, as an ES module and as CommonJS', async () => {
    const esm = readmeApp();
    const cjs = esm.replace(/^import (\{.*\}) from ('.*');$/gm, 'const $1 = require($2);');
    for (const [file, code] of [
      ['app.mjs', esm],
      ['app.cjs', cjs],
    ] as const) {
      app.write(file, code);
      await app.run('env', `CDK8S_OUTDIR=out-${file}`, 'node', file);
      expect(app.read(`out-${file}`, 'dragonfly.k8s.yaml')).toBe(app.read('dist', 'dragonfly.k8s.yaml'));
    }
  });

  test.each([
    ['5', 'typescript'],
    ['6', 'typescript6'],
  ])('type-checks with TypeScript %s at its strictest, from both kinds of modules', async (major, name) => {
    const folder = `strict-${major}`;
    await app.run('mkdir', folder);
    const use = `export const all: typeof dragonfly = dragonfly;\n`;
    // It is the library that is checked: what it does not take is an error.
    const wrong = `// @ts-expect-error a prop that there is not\nnew Dragonfly(chart, 'other', { nodez: [] });\n`;
    app.write(`${folder}/esm.mts`, `import * as dragonfly from 'cdk8s-dragonfly';\n${use}${readmeApp()}${wrong}`);
    app.write(`${folder}/cjs.cts`, `import dragonfly = require('cdk8s-dragonfly');\n${use}`);
    app.write(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions: STRICT, include: ['*.mts', '*.cts'] }));
    const tsc = `node_modules/${name}/bin/tsc`;
    expect(await app.run('node', tsc, '--version')).toContain(`Version ${major}.`);
    expect(await app.run('node', tsc, '-p', folder)).toBe('');
  });

  test('writes a manifests repository, one folder a cluster, and the same bytes the second time', async () => {
    cpSync(join(ROOT, 'examples/gitops/main.ts'), join(app.folder, 'main.ts'));
    const folder = join(app.folder, 'manifests/dragonfly');
    const synth = async (): Promise<Map<string, string>> => {
      await app.run('npx', 'cdk8s', 'synth', '--no-check-upgrade', '--output', 'manifests/dragonfly');
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
      return new Map(files.sort().map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
    };
    const first = await synth();
    expect(readdirSync(folder).sort()).toEqual(['production', 'staging']);
    expect([...first.keys()]).toContain('production/kustomization.yaml');
    expect(await synth()).toEqual(first);
  });
});
