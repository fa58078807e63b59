import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Dockerd } from '../world/dockerd';

const ROOT = resolve(__dirname, '../..');
const BUILD_LIMIT_MS = 120_000;

/** The targets of services/Dockerfile. */
export const TARGETS = ['supernode', 'dfdaemon', 'node-mirror'] as const;
export type Target = (typeof TARGETS)[number];

/** What is told to the build, and stands in the labels. */
export const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
export const REVISION = 'e2e';

/** The name of an image that {@link buildImages} makes. */
export function nameOf(target: Target): string {
  return `dragonfly-e2e/${target}:${VERSION}`;
}

/**
 * Builds our images, as the head of services/Dockerfile says, on the base that run.sh has made. With E2E_IMAGES in the environment it
 * leaves them in that folder, as `docker save` writes them, for a cluster.
 *
 * @returns bytes of the base
 */
export async function buildImages(dockerd: Dockerd): Promise<number> {
  const base = 'dragonfly-e2e/base:1';
  await dockerd.docker(['import', join(process.env['E2E_SCRATCH'] ?? '', 'base.tar'), base], BUILD_LIMIT_MS);
  for (const target of TARGETS) {
    const args = { BASE: base, VERSION, REVISION };
    await dockerd.docker(
      [
        ...['build', '--quiet', '--network=none', '--file', join(ROOT, 'services/Dockerfile')],
        ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
        ...['--target', target, '--tag', nameOf(target), join(ROOT, 'services/bundles')],
      ],
      BUILD_LIMIT_MS,
    );
    const folder = process.env['E2E_IMAGES'];
    if (folder !== undefined) {
      await dockerd.docker(['save', '--output', join(folder, `${target}.tar`), nameOf(target)], BUILD_LIMIT_MS);
    }
  }
  return Number(await dockerd.docker(['image', 'inspect', '--format', '{{.Size}}', base]));
}
