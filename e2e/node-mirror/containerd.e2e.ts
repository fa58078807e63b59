import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { Containerd } from '../world/containerd';
import type { Host } from '../world/host';
import { blobsOf, createImage, type Image } from '../world/image';
import { inWorld } from '../world/in-world';
import { Registry } from '../world/registry';
import type { World } from '../world/world';
import { nodeMirror, type Subject } from './command';

const MiB = 1024 * 1024;
const PULL_LIMIT_MS = 60_000;
const TEST_LIMIT_MS = 90_000;

describe('node-mirror and a real containerd', () => {
  let world: World;
  let node: Host;
  let containerd: Containerd;
  let origin: Registry;
  let mirror: Registry;
  let subject: Subject;
  const images: Image[] = [];

  const scenario = inWorld(TEST_LIMIT_MS, async (made) => {
    world = made;
    origin = await Registry.start(await world.host('origin'));
    mirror = await Registry.start(await world.host('mirror'));
    for (const name of ['one', 'two']) {
      const image = createImage(world.newFolder(name), name, [MiB, MiB, MiB]);
      await origin.push(image);
      await mirror.push(image);
      images.push(image);
    }
    node = await world.host('node');
    containerd = await Containerd.start(node);
    const flags = ['--runtime', 'containerd', '--containerd-config', node.path('containerd.toml')];
    subject = {
      host: node,
      flags: [...flags, '--mirror', mirror.url, '--registry', `docker.io=${origin.url}`],
    };
  });

  async function pull(image: Image | undefined): Promise<void> {
    if (image === undefined) throw new Error('no image');
    const pulled = await containerd.pull(image, PULL_LIMIT_MS);
    expect(pulled).toEqual({ id: image.config.digest, digest: image.manifest.digest });
  }

  const requestsOf = (registry: Registry, image: Image | undefined): number =>
    registry.requests().filter(({ path }) => image !== undefined && path.includes(image.repository)).length;

  scenario('pulls go through hosts.toml, until it is taken away', async () => {
    const hosts = node.path('certs.d/docker.io/hosts.toml');
    const plan = await nodeMirror(subject, 'plan');
    expect(plan).toContain(`+++ ${hosts}`);
    expect(existsSync(node.path('certs.d'))).toBe(false);
    expect(await nodeMirror(subject, 'apply')).toContain(`${hosts}: ${mirror.url} added as the first host\n`);
    await nodeMirror(subject, 'check');
    const before = requestsOf(origin, images[0]);
    await pull(images[0]);
    const blobs = images[0] === undefined ? [] : blobsOf(images[0]);
    expect(images[0] && mirror.deliveries(images[0])).toEqual(
      blobs.map(({ digest, size }) => ({ digest, requests: 1, bytes: size })),
    );
    expect(requestsOf(origin, images[0])).toBe(before);

    expect(await nodeMirror(subject, 'restore')).toContain('removed, as there was none before the first apply');
    expect(existsSync(node.path('certs.d'))).toBe(false);
  });

  scenario('a hosts.toml of the operator keeps its host behind ours, and comes back byte for byte', async () => {
    const theirs = `# the operator's\nserver = "http://127.0.0.1:1"\n\n# the registry of the house\n[host.'${origin.url}']\n  capabilities = ["pull", "resolve"]`;
    mkdirSync(node.path('certs.d/docker.io'), { recursive: true });
    writeFileSync(node.path('certs.d/docker.io/hosts.toml'), theirs);
    await nodeMirror(subject, 'apply');
    await pull(images[1]);
    expect(requestsOf(mirror, images[1])).toBeGreaterThan(4);
    await nodeMirror(subject, 'restore');
    expect(await node.run(['cat', node.path('certs.d/docker.io/hosts.toml')])).toBe(theirs);
    expect(await node.run(['ls', node.path('certs.d'), node.path('certs.d/docker.io')])).not.toContain('.dragonfly-');
  });
});
