import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createImage } from '../../e2e/world/image';
import { atMost } from '../rig/bars';
import type { Bar } from '../rig/bars';
import { Cluster, evenLayers } from '../rig/cluster';
import { Swarm } from '../rig/system';

const NGINX_PORT = 9001;

/** How often each is measured; the median counts. */
const TIMES = 5;

/** A blob that is on the node, beside the same file from nginx. */
export async function warmBlob(): Promise<Bar[]> {
  const cluster = await Cluster.create(1, { node: undefined, centre: undefined, registry: undefined });
  try {
    const image = createImage(cluster.world.newFolder('image'), 'warm', evenLayers(100, 1));
    await cluster.registry.push(image);
    const [host] = cluster.nodes;
    const [layer] = image.layers;
    if (host === undefined || layer === undefined) throw new Error('there is one node and one layer');
    const hex = layer.digest.slice('sha256:'.length);
    const root = cluster.world.newFolder('nginx');
    mkdirSync(join(root, 'html'));
    linkSync(join(image.layout, 'blobs', 'sha256', hex), join(root, 'html', hex));
    writeFileSync(join(root, 'nginx.conf'), nginxConfig(root));
    const nginx = host.start('nginx', ['nginx', '-p', root, '-c', join(root, 'nginx.conf')]);
    await nginx.ready(
      async () => (await fetch(`http://${host.ip}:${NGINX_PORT}/${hex}`, { method: 'HEAD' })).ok || undefined,
    );
    const times = { ours: [] as number[], nginx: [] as number[] };
    const swarm = new Swarm();
    await cluster.with(swarm, 1, async () => {
      const puller = cluster.puller(0);
      await puller.pull(swarm.mirrorUrl(), image);
      for (let count = 0; count < TIMES; count += 1) {
        const path = `/v2/${image.repository}/blobs/${layer.digest}`;
        times.ours.push((await puller.blob({ ...layer, base: swarm.mirrorUrl(), path })).ms);
        times.nginx.push((await puller.blob({ ...layer, base: `http://127.0.0.1:${NGINX_PORT}`, path: `/${hex}` })).ms);
      }
    });
    const [ours, plain] = [median(times.ours), median(times.nginx)];
    const limit = Math.max(1.5 * plain, plain + 100);
    const what = `a warm blob of 100 MiB, in ms; nginx takes ${plain.toFixed(0)}`;
    return [atMost(what, ours, Math.round(limit))];
  } finally {
    await cluster.stop();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

function nginxConfig(root: string): string {
  return [
    'daemon off;',
    // Its workers may not read the folders of the tests otherwise.
    'user root;',
    `pid ${root}/pid;`,
    `error_log ${root}/error.log;`,
    'events {}',
    `http { access_log off; sendfile on; client_body_temp_path ${root}/body; proxy_temp_path ${root}/proxy;`,
    `fastcgi_temp_path ${root}/fastcgi; uwsgi_temp_path ${root}/uwsgi; scgi_temp_path ${root}/scgi;`,
    `server { listen ${NGINX_PORT}; root ${root}/html; } }`,
    '',
  ].join('\n');
}
