import { readFileSync } from 'node:fs';
import type { Host } from './host';
import { blobsOf, digestOf, type Image } from './image';
import { writeRegistriesConf } from './registries-conf';

/** What a pull has put on disk: the manifest's digest and those of its blobs, computed from the bytes. */
export interface SkopeoPull {
  readonly digest: string;
  readonly blobs: readonly string[];
}

/**
 * Pulls an image of docker.io through a mirror with skopeo, which reads `registries.conf` by the same library as podman and
 * CRI-O, and is the least forgiving of the engines: it goes back to the registry for no blob.
 *
 * @param mirror `HOST:PORT`
 */
export async function pullWithSkopeo(host: Host, mirror: string, image: Image, limitMs: number): Promise<SkopeoPull> {
  const config = host.path('registries.conf');
  writeRegistriesConf(config, mirror);
  const folder = host.path(`pulled-${image.tag}-${image.repository.replace('/', '-')}`);
  const source = `docker://docker.io/${image.repository}:${image.tag}`;
  const how = ['--insecure-policy', '--registries-conf', config, 'copy', '--preserve-digests'];
  await host.run(['skopeo', ...how, source, `dir:${folder}`], { limitMs });
  return {
    digest: digestOf(readFileSync(`${folder}/manifest.json`)),
    blobs: blobsOf(image).map(({ digest }) => digestOf(readFileSync(`${folder}/${digest.slice('sha256:'.length)}`))),
  };
}
