import { writeFileSync } from 'node:fs';

/**
 * Writes a registries.conf by which podman, CRI-O and skopeo ask a mirror for docker.io.
 *
 * @param mirror `HOST:PORT`
 */
export function writeRegistriesConf(path: string, mirror: string): void {
  const lines = [
    '[[registry]]',
    'prefix = "docker.io"',
    'location = "docker.io"',
    '[[registry.mirror]]',
    `location = ${JSON.stringify(mirror)}`,
    'insecure = true',
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
}
