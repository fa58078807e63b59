import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { REGISTRIES_CONF } from '../../services/node-mirror/test/corpus/registries-conf';
import type { Host } from '../world/host';
import { createImage, type Image } from '../world/image';
import { inWorld } from '../world/in-world';
import { Registry } from '../world/registry';
import { run } from '../world/run';
import type { World } from '../world/world';
import { nodeMirror, type Subject } from './command';

const MiB = 1024 * 1024;
const TEST_LIMIT_MS = 120_000;
const CONF = '/etc/containers/registries.conf';
const DROP_INS = `${CONF}.d`;
const OURS = `${DROP_INS}/99-dragonfly-docker.io.conf`;

describe('node-mirror and a real podman', () => {
  let world: World;
  let node: Host;
  let registry: Registry;
  let image: Image;
  let subject: Subject;

  const scenario = inWorld(TEST_LIMIT_MS, async (made) => {
    world = made;
    registry = await Registry.start(await world.host('registry'));
    image = createImage(world.newFolder('image'), 'podman', [MiB, MiB]);
    // Where the mirror of docker.io is asked for it: below its name.
    await registry.push({ ...image, repository: `docker.io/${image.repository}` });
    node = await world.host('node');
    subject = { host: node, flags: ['--runtime', 'podman', '--mirror', registry.url] };
  });

  const podman = async (...args: readonly string[]): Promise<string> => {
    const storage = ['--root', node.path('storage'), '--runroot', node.path('run'), '--storage-driver', 'vfs'];
    return await node.run(['podman', ...storage, ...args]);
  };
  const files = async (): Promise<string> =>
    await run(['sh', '-c', `cd /etc/containers && find . -type f | sort | xargs sha256sum`]);

  scenario('pulls go through the drop-in, until it is taken away', async () => {
    const before = await files();
    await nodeMirror(subject, 'apply');
    await nodeMirror(subject, 'check');
    await podman('pull', '--quiet', `docker.io/${image.repository}:${image.tag}`);
    const digest = await podman(
      'image',
      'inspect',
      '--format',
      '{{.Digest}}',
      `docker.io/${image.repository}:${image.tag}`,
    );
    expect(digest.trim()).toBe(image.manifest.digest);
    const asked = registry.requests().filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 200]);
    await nodeMirror(subject, 'restore');
    expect(existsSync(OURS)).toBe(false);
    expect(await files()).toBe(before);
  });

  scenario('podman itself reads what was written beside each configuration of the corpus', async () => {
    const first = readFileSync(CONF, 'utf8');
    try {
      for (const { name, content, refused, others = {} } of REGISTRIES_CONF) {
        if (refused !== undefined || content === undefined) continue;
        writeFileSync(CONF, content);
        for (const [path, text] of Object.entries(others)) writeFileSync(path, text);
        const before = await files();
        await nodeMirror(subject, 'apply');
        const mirrors = await podman('info', '--format', '{{json (index .Registries "docker.io")}}');
        const [mirror] = (JSON.parse(mirrors) as { Mirrors: { Location: string; Insecure: boolean }[] }).Mirrors;
        expect({ name, ...mirror }).toMatchObject({ name, Insecure: true });
        expect(mirror?.Location).toMatch(new RegExp(`^${registry.address}/`));
        await nodeMirror(subject, 'restore');
        expect(await files()).toBe(before);
        if (Object.keys(others).length > 0) await run(['rm', ...Object.keys(others)]);
      }
    } finally {
      writeFileSync(CONF, first);
    }
  });
});
