import { randomBytes } from 'node:crypto';

import { taskIdOf } from '@cdk8s-dragonfly/protocol';

import { status } from '../classic/fixture';
import { Running } from '../ops/running';
import { DOCKER_LIST_TYPE, DOCKER_MANIFEST_TYPE, FakeRegistry, INDEX_TYPE } from './fake-registry';
import type { Descriptor } from './fake-registry';
import { finished, order, preheat } from './ordering';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };
const ATTESTATION = { os: 'unknown', architecture: 'unknown' };

describe('preheat of an image', () => {
  let registry: FakeRegistry;
  let running: Running;
  beforeEach(async () => {
    registry = await FakeRegistry.start();
    running = await Running.start(status(404), { allowOrigin: [{ host: registry.host, port: registry.port }] });
  });
  afterEach(async () => {
    await running.stop();
    await registry.stop();
  });

  const layer = (bytes = 100_000): Descriptor => registry.addBlob(randomBytes(bytes));

  /** An image for two platforms with a common layer and an attestation. */
  function twoPlatforms(type = INDEX_TYPE): Record<'common' | 'amd' | 'arm' | 'proof', Descriptor> {
    const [common, amd, arm, proof] = [layer(1_500_000), layer(), layer(), layer(500)];
    const manifests = [
      { ...registry.addImage([common, amd], AMD64), platform: AMD64 },
      { ...registry.addImage([common, arm], ARM64), platform: ARM64 },
      { ...registry.addImage([proof], ATTESTATION), platform: ATTESTATION },
    ];
    registry.addManifest({ schemaVersion: 2, mediaType: type, manifests }, type, '1.0');
    return { common, amd, arm, proof };
  }

  it('fetches the blobs of all platforms, each once, and tells what they are', async () => {
    const { common, amd, arm, proof } = twoPlatforms();
    const done = await preheat(running, { type: 'image', url: registry.url('manifests/1.0') });
    expect(done).toMatchObject({ status: 'SUCCESS', type: 'image', url: registry.url('manifests/1.0') });
    expect(done.ID).toBe(taskIdOf({ taskUrl: registry.url('manifests/1.0') }));
    expect(done.startTime).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(done.errMsg).toBeUndefined();
    expect(done.blobs).toHaveLength(7);
    expect(done.blobs).toContainEqual({
      digest: common.digest,
      size: 1_500_000,
      bytes: 1_500_000,
      state: 'SUCCESS',
      platforms: ['linux/amd64', 'linux/arm64/v8'],
    });
    const blobs = registry.paths.filter((path) => path.startsWith('blobs/'));
    expect(blobs).toHaveLength(7);
    for (const { digest } of [common, amd, arm, proof]) expect(blobs).toContain(`blobs/${digest}`);
    expect(registry.paths.filter((path) => path.startsWith('manifests/'))).toHaveLength(4);
  });

  it.each([
    [['linux/arm64'], INDEX_TYPE],
    [['linux/arm64/v8'], DOCKER_LIST_TYPE],
  ])('fetches the platforms %j alone', async (platforms, type) => {
    const { common, amd, arm } = twoPlatforms(type);
    const done = await preheat(running, {
      type: 'image',
      url: `${registry.host}:${registry.port}/team/app:1.0`,
      platforms,
    });
    expect(done.status).toBe('SUCCESS');
    expect(done.blobs).toHaveLength(3);
    const digests = done.blobs.map(({ digest }) => digest);
    expect(digests).toEqual(expect.arrayContaining([common.digest, arm.digest]));
    expect(registry.paths).not.toContain(`blobs/${amd.digest}`);
  });

  it('fails when the image is not there for a chosen platform', async () => {
    twoPlatforms();
    const url = registry.url('manifests/1.0');
    const done = await preheat(running, {
      type: 'image',
      url,
      platforms: ['linux/amd64', 'linux/s390x', 'linux/arm/v7'],
    });
    expect(done).toMatchObject({
      status: 'FAILED',
      errMsg:
        'the image is not there for linux/s390x, linux/arm/v7; it is for linux/amd64, linux/arm64/v8, unknown/unknown',
      blobs: [],
    });
  });

  it('looks into the configuration of an image without an index for its platform', async () => {
    registry.addImage([layer()], ARM64, 'one', DOCKER_MANIFEST_TYPE);
    const url = registry.url('manifests/one');
    const wrong = await preheat(running, { type: 'image', url, platforms: ['linux/amd64'] });
    expect(wrong.errMsg).toBe('the image is not there for linux/amd64; it is for linux/arm64/v8');
    const right = await preheat(running, { type: 'image', url, platforms: ['linux/arm64'] });
    expect(right.status).toBe('SUCCESS');
    expect(right.ID).not.toBe(wrong.ID);
  });

  it('fails when a layer is missing, says which and why, and fetches the others', async () => {
    const { amd } = twoPlatforms();
    registry.remove(amd.digest);
    const done = await preheat(running, { type: 'image', url: registry.url('manifests/1.0') });
    const why = `Origin 127.0.0.1:${registry.port} answered with status 404`;
    expect(done.status).toBe('FAILED');
    expect(done.errMsg).toBe(`1 of 7 blobs could not be fetched: ${amd.digest} (linux/amd64): ${why}`);
    expect(done.blobs.find(({ digest }) => digest === amd.digest)).toEqual({
      digest: amd.digest,
      size: 100_000,
      bytes: 0,
      state: 'FAILED',
      platforms: ['linux/amd64'],
      errMsg: `${why}.`,
      status: 404,
    });
    expect(done.blobs.filter(({ state }) => state === 'SUCCESS')).toHaveLength(6);
    expect(running.logged('preheat failed')).toMatchObject([{ level: 'warn', preheat: done.ID, why: done.errMsg }]);
  });

  it('fails when a layer has other bytes than its digest says', async () => {
    const bad = { ...layer(), digest: `sha256:${'0'.repeat(64)}` as const };
    registry.addImage([bad], AMD64, 'bad');
    registry.answer = ((give) => (request, response) => {
      if (request.url?.endsWith('0'.repeat(64)) === true) response.end('other');
      else give(request, response);
    })(registry.answer);
    const done = await preheat(running, { type: 'image', url: registry.url('manifests/bad') });
    expect(done.status).toBe('FAILED');
    expect(done.errMsg).toContain(`${bad.digest}: the origin's bytes for ${bad.digest} have the SHA-256 `);
  });

  it('leaves out layers that registries need not have', async () => {
    const foreign = { ...layer(), mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' };
    registry.addImage([foreign, layer()], AMD64, 'foreign');
    const done = await preheat(running, { type: 'image', url: registry.url('manifests/foreign') });
    expect(done.status).toBe('SUCCESS');
    expect(done.blobs.map(({ state }) => state)).toEqual(['SUCCESS', 'SKIPPED', 'SUCCESS']);
    expect(registry.paths).not.toContain(`blobs/${foreign.digest}`);
  });

  it.each([
    ['no manifest', {}, 'schemaVersion: it has to be 2: images of the first schema have to be pushed anew'],
    [
      'an old image',
      { schemaVersion: 1 },
      'schemaVersion: it has to be 2: images of the first schema have to be pushed anew',
    ],
    ['an empty one', { schemaVersion: 2 }, 'it has neither manifests nor config and layers'],
    ['two in one', { schemaVersion: 2, manifests: [], layers: [] }, 'it is an index and an image at once'],
    [
      'a platform that would write on a terminal',
      {
        schemaVersion: 2,
        manifests: [{ digest: `sha256:${'0'.repeat(64)}`, size: 1, platform: { os: '\u001b[2J', architecture: 'x' } }],
      },
      'manifests.0.platform.os: it is no name of a platform',
    ],
    [
      'another digest',
      { schemaVersion: 2, layers: [{ digest: 'sha512:00', size: 1 }] },
      'layers.0.digest: only sha256 digests are supported',
    ],
  ])('fails for %s in place of a manifest', async (_what, document, why) => {
    registry.addManifest(document, 'application/json', 'odd');
    const done = await preheat(running, { type: 'image', url: registry.url('manifests/odd') });
    expect(done.errMsg).toBe(`the manifest ${registry.url('manifests/odd')} cannot be used: ${why}`);
  });

  it('reads no endless manifest, and none with another digest', async () => {
    const url = registry.url('manifests/odd');
    registry.answer = (_request, response) => response.end(Buffer.alloc(5 * 1024 * 1024));
    const endless = await preheat(running, { type: 'image', url });
    expect(endless.errMsg).toBe(`the manifest ${url} cannot be read: it is longer than 4194304 bytes`);
    registry.answer = (_request, response) => response.end('{}');
    const byDigest = registry.url(`manifests/sha256:${'1'.repeat(64)}`);
    const other = await preheat(running, { type: 'image', url: byDigest });
    expect(other.errMsg).toMatch(/cannot be read: its digest is sha256:44136fa3/);
  });

  it('asks no host that the rules refuse', async () => {
    const done = await preheat(running, { type: 'image', url: 'http://127.0.0.9:1/v2/team/app/manifests/1' });
    expect(done.errMsg).toBe(
      'the manifest http://127.0.0.9:1/v2/team/app/manifests/1 cannot be read: Origin 127.0.0.9:1 is refused: ' +
        'it is not on the list of allowed origins; allow it with --allow-origin 127.0.0.9:1',
    );
  });

  it('does one order once: the same id while it runs, 409 when it is finished, and anew when it was deleted', async () => {
    registry.addImage([layer()], AMD64, 'once');
    const give = registry.answer;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    registry.answer = (request, response) => void held.then(() => give(request, response));
    const body = { type: 'image', url: registry.url('manifests/once') };
    const [one, two] = [await order(running, body), await order(running, body)];
    expect(one).toEqual({ status: 200, body: { ID: taskIdOf({ taskUrl: body.url }) } });
    expect(two).toEqual(one);
    release();
    const done = await finished(running, taskIdOf({ taskUrl: body.url }));
    expect(done.status).toBe('SUCCESS');
    expect(registry.paths.filter((path) => path === 'manifests/once')).toHaveLength(1);
    const message = `the preheat ${done.ID} is finished; delete it (DELETE /preheats/${done.ID}) to order it anew`;
    expect(await order(running, body)).toEqual({ status: 409, body: { code: 409, message, ID: done.ID } });
    // The list tells of preheats; of thousands of blobs, each preheat by itself.
    const { blobs, ...summary } = done;
    expect(blobs.length).toBeGreaterThan(0);
    expect(await running.json('/preheats')).toEqual({ status: 200, body: [summary] });
    const remove = async (): Promise<unknown> => running.json(`/preheats/${done.ID}`, { method: 'DELETE' });
    expect([await remove(), await remove()]).toEqual([
      { status: 200, body: true },
      { status: 200, body: false },
    ]);
    const asked = registry.paths.length;
    expect((await preheat(running, body)).status).toBe('SUCCESS');
    expect(registry.paths.slice(asked)).toEqual(['manifests/once']);
  });

  it('ends what is deleted while it runs', async () => {
    const url = registry.url('manifests/slow');
    let asked = (): void => undefined;
    const begun = new Promise<void>((resolve) => (asked = resolve));
    registry.answer = () => asked();
    const { body } = await order(running, { type: 'image', url });
    await begun;
    const { ID } = body as { ID: string };
    await running.json(`/preheats/${ID}`, { method: 'DELETE' });
    expect(await running.json(`/preheats/${ID}`)).toEqual({
      status: 404,
      body: { code: 404, message: 'there is no such preheat; GET /preheats lists them' },
    });
    const began = performance.now();
    await running.supernode.stop();
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
