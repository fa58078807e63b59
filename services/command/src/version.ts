import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of the commands, from the package that they share. */
export function commandVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  throw new TypeError('the package.json of @cdk8s-dragonfly/command has no version');
}
