import { randomBytes } from 'node:crypto';

import { preheatDocument, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { PreheatDocument } from '@cdk8s-dragonfly/protocol';

import { status, whole } from '../classic/fixture';
import type { OriginPath } from '../classic/fixture';
import { Running } from '../ops/running';
import { finished, order, preheat } from './ordering';

const content = randomBytes(3_000_000);

describe('preheat of a file', () => {
  let running: Running;
  let file: OriginPath;
  beforeEach(async () => {
    file = whole(content);
    running = await Running.start((request, response) => file(request, response));
  });
  afterEach(() => running.stop());

  it('has the classic task id of the filtered URL, and original clients get it without asking the origin', async () => {
    const url = running.url('/file.bin?v=1&sign=secret');
    const done = await preheat(running, { type: 'file', url, filter: 'sign', identifier: 'x' });
    const id = taskIdOf({ taskUrl: running.url('/file.bin?v=1'), identifier: 'x' });
    expect(done).toMatchObject({ ID: id, status: 'SUCCESS', type: 'file', url: running.url('/file.bin') });
    expect(done.blobs).toEqual([{ digest: `task:${id}`, size: 3_000_000, bytes: 3_000_000, state: 'SUCCESS' }]);
    expect(running.requests).toBe(1);
    const taskUrl = running.url('/file.bin?v=1');
    const answer = await running.register('a', { rawUrl: url, taskUrl, identifier: 'x' });
    expect(answer.body).toMatchObject({ code: 200, data: { taskId: id, fileLength: 3_000_000 } });
    expect(running.requests).toBe(1);
    expect(running.lines.join('\n')).not.toContain('secret');
  });

  it('sends the headers of the order, and shows how far it is', async () => {
    let authorization: string | undefined;
    let release = (): void => undefined;
    file = (request, response) => {
      ({ authorization } = request.headers);
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 1_000_000));
      release = () => response.end(content.subarray(1_000_000));
    };
    const url = running.url();
    const { body } = await order(running, { type: 'FILE', url, headers: { Authorization: 'Bearer abc' } });
    const { ID } = body as { ID: string };
    const now = async (): Promise<PreheatDocument> =>
      preheatDocument.parse((await running.json(`/preheats/${ID}`)).body);
    const end = performance.now() + 10_000;
    while (performance.now() < end && (await now()).blobs[0]?.bytes !== 786_432) continue;
    expect(await now()).toMatchObject({
      status: 'RUNNING',
      blobs: [{ size: 3_000_000, bytes: 786_432, state: 'RUNNING' }],
    });
    expect(authorization).toBe('Bearer abc');
    release();
    expect(await finished(running, ID)).toMatchObject({ status: 'SUCCESS', blobs: [{ bytes: 3_000_000 }] });
  });

  it('fails with the origin’s answer', async () => {
    file = status(403);
    const done = await preheat(running, { type: 'file', url: running.url() });
    expect(done.status).toBe('FAILED');
    expect(done.errMsg).toMatch(
      /^1 of 1 blobs could not be fetched: task:[0-9a-f]{64}: Origin .* answered with status 403$/,
    );
  });

  it.each([
    ['nonsense', 'the body has to be a JSON object such as {"type": "image", "url": "docker.io/library/nginx:1.25"}'],
    ['[]', 'the body has to be a JSON object such as {"type": "image", "url": "docker.io/library/nginx:1.25"}'],
    [{ url: 'x' }, 'type has to be "file" or "image"'],
    [{ type: 'disc', url: 'http://x/y' }, 'type has to be "file" or "image", not "disc"'],
    [
      { type: 'file' },
      'url has to be the URL of a file, the URL of a manifest, or an image such as docker.io/library/nginx:1.25',
    ],
    [
      { type: 'file', url: 'ftp://x/y' },
      'url has to be an absolute http or https URL without user name and password, for type "file"',
    ],
    [
      { type: 'file', url: 'http://a:secret@x/y' },
      'url has to be an absolute http or https URL without user name and password, for type "file"',
    ],
    [
      { type: 'image', url: 'http://x/y' },
      'url has to be …/v2/NAME/manifests/REFERENCE, or an image such as docker.io/library/nginx:1.25, for type "image"',
    ],
    [
      { type: 'image', url: 'UPPER' },
      'url has to be …/v2/NAME/manifests/REFERENCE, or an image such as docker.io/library/nginx:1.25, for type "image"',
    ],
    [
      { type: 'image', url: 'x', headers: ['secret'] },
      'headers has to be an object of names and values such as {"Authorization": "Basic …"}',
    ],
    [{ type: 'image', url: 'x', headers: { 'a b': 'secret' } }, 'headers: "a b" cannot be sent as a header line'],
    [{ type: 'image', url: 'x', headers: { a: 'secret\r\nx: y' } }, 'headers: "a" cannot be sent as a header line'],
    [
      { type: 'image', url: 'x', username: 'a' },
      'username and password have to be given together, the username without a colon',
    ],
    [
      { type: 'image', url: 'x', platforms: 'linux' },
      'platforms has to be a list of at most 50 platforms such as ["linux/amd64", "linux/arm/v7"]',
    ],
    [
      { type: 'image', url: 'x', platforms: ['linux'] },
      'platforms: "linux" is none; write OS/ARCHITECTURE such as linux/amd64',
    ],
    [
      { type: 'file', url: 'http://x/y', platforms: [] },
      'platforms can be chosen of an image only, and type is "file"',
    ],
    [
      { type: 'image', url: 'docker.io/library/nginx', platform: ['linux/amd64'], PassWord: 'secret' },
      'an order has no "platform", "PassWord"; ' +
        'it may have type, url, filter, identifier, headers, platforms, username, password, here',
    ],
    [
      { type: 'image', url: 'docker.io/library/nginx', here: true },
      'here can be said of a file only: it is how replicas share the blobs of an image',
    ],
  ])('refuses %j', async (body, message) => {
    expect(await order(running, body)).toEqual({ status: 400, body: { code: 400, message } });
    expect(await running.json('/preheats')).toEqual({ status: 200, body: [] });
    expect(running.lines.join('\n')).not.toContain('secret');
  });
});
