import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../world/run';

const ROOT = resolve(__dirname, '../..');
const TEMPLATE = join(ROOT, 'node_modules/cdk8s-cli/templates/typescript-app');
const INSTALL_LIMIT_MS = 300_000;

interface PackageJson {
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface AppPackage {
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * An app as `cdk8s init typescript-app` makes it, with what the README says to add. It is made from the template of the same cdk8s-cli and
 * not by the command itself, which also fetches the schema of Kubernetes from GitHub, for an import that such an app does not use.
 */
export class FreshApp {
  /** What npm said on standard error while the package was installed. */
  readonly warnings: string;

  private constructor(
    readonly folder: string,
    warnings: string,
  ) {
    this.warnings = warnings;
  }

  /** @param more packages to install beside, as npm takes them */
  static async create(more: readonly string[]): Promise<FreshApp> {
    const scratch = mkdtempSync(join(tmpdir(), 'dragonfly-packed-'));
    await run(['npm', 'pack', '--silent', '--pack-destination', scratch, ROOT], { limitMs: 120_000 });
    const [archive = ''] = readdirSync(scratch);
    const folder = join(scratch, 'app');
    mkdirSync(folder);
    cpSync(TEMPLATE, folder, { recursive: true, filter: (path) => !path.endsWith('.hooks.sscaff.js') });
    // Only the app's own files count: its test and its import stay out.
    for (const file of ['main.test.ts', '__snapshots__', 'help']) rmSync(join(folder, file), { recursive: true });
    writeFileSync(
      join(folder, 'cdk8s.yaml'),
      readFileSync(join(folder, 'cdk8s.yaml'), 'utf8').replace(/imports:[^]*/, ''),
    );
    writePackageJson(join(folder, 'package.json'));
    const log = join(scratch, 'npm.log');
    const install = `npm install --prefer-offline cdk8s-plus-27 ../${archive} ${more.join(' ')} 2>'${log}'`;
    await run(['sh', '-c', `cd '${folder}' && ${install} || { cat '${log}' >&2; exit 1; }`], {
      limitMs: INSTALL_LIMIT_MS,
    });
    return new FreshApp(folder, readFileSync(log, 'utf8'));
  }

  /** Writes a file of the app. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  read(...names: readonly string[]): string {
    return readFileSync(join(this.folder, ...names), 'utf8');
  }

  /** Runs a command in the app. */
  async run(...argv: readonly string[]): Promise<string> {
    return await run(['sh', '-c', 'cd "$0" && exec "$@"', this.folder, ...argv], { limitMs: 120_000 });
  }

  remove(): void {
    rmSync(join(this.folder, '..'), { recursive: true });
  }
}

/** The template's, with what `cdk8s init` puts into its gaps, and with the override that the README tells of. */
function writePackageJson(path: string): void {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;
  const values: Readonly<Record<string, string | undefined>> = {
    $base: 'app',
    cdk8s_core_version: devDependencies['cdk8s'],
    constructs_version: devDependencies['constructs'],
    cdk8s_cli_spec: `^${devDependencies['cdk8s-cli']}`,
  };
  const text = readFileSync(path, 'utf8').replace(/\{\{ (\S+) \}\}/g, (gap, name: string) => values[name] ?? gap);
  const app = JSON.parse(text) as AppPackage;
  // The README has cdk8s-plus-27 installed, which takes the place of the one of the template.
  const dependencies = Object.fromEntries(
    Object.entries(app.dependencies).filter(([name]) => !name.includes('-plus-')),
  );
  const [, overrides = '{}'] = /"overrides": (\{.*?\})`/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
  writeFileSync(
    path,
    JSON.stringify({ ...app, dependencies, overrides: JSON.parse(overrides) as object }, undefined, 2),
  );
}
