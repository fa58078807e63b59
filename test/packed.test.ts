import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

interface PackageJson {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
}

/** What `npm pack` puts into the package. What is in lib/ is compiled from nothing before that, so here it counts by its source. */
function packed(): string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [list] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' })) as [
    { readonly files: { readonly path: string }[] },
  ];
  return list.files.map(({ path }) => path);
}

function sources(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).flatMap((path) =>
    path.endsWith('.ts') ? [`lib/${path.slice(0, -'.ts'.length)}`] : [],
  );
}

describe('the package', () => {
  it('holds the compiled library and its types, and nothing else: no test, no service, no source map', () => {
    const files = packed();
    const compiled = sources().flatMap((path) => [`${path}.d.ts`, `${path}.js`]);
    expect(files).toEqual(expect.arrayContaining(compiled));
    const library = /^lib\/(?:(?:[a-z-]+\/)*[a-z-]+|imports\/monitoring\.coreos\.com)(?:\.d)?\.[jt]s$/;
    const rest = files.filter((path) => !library.test(path));
    expect(rest.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    const index = readFileSync(join(ROOT, 'lib/index.js'), 'utf8');
    expect(index).not.toContain('sourceMappingURL');
  });

  it('has no script that runs where it is installed, of which npm would warn', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;
    expect(Object.keys(scripts)).toContain('prepack');
    expect(Object.keys(scripts).filter((name) => /^(?:pre|post)?(?:install|prepare)$|^prepublish$/.test(name))).toEqual(
      [],
    );
  });
});
