import { createHash } from 'node:crypto';

import { NATIVE_VERSION, SESSION_PATH } from '@cdk8s-dragonfly/protocol';

import { whole } from './classic/fixture';
import { Running } from './ops/running';

const blob = `sha256:${'ab'.repeat(32)}`;

describe('a daemon that others cannot be told of', () => {
  let running: Running;
  beforeAll(async () => {
    running = await Running.start(whole(Buffer.from('content')));
  });
  afterAll(async () => running.stop());

  const register = async (fields: object): Promise<unknown> => {
    const body = {
      rawUrl: running.url(`/v2/a/blobs/${blob}`),
      cid: 'daemon',
      ip: '127.0.0.2',
      port: 15_001,
      path: '/peer/file/x',
      native: { versions: [NATIVE_VERSION], blob },
      ...fields,
    };
    return (await running.json('/peer/registry', { method: 'POST', body: JSON.stringify(body) })).body;
  };

  it.each([{}, { port: 0 }, { port: undefined }])('is taken in as it should be: %j', async (fields) => {
    expect(await register(fields)).toMatchObject({ code: 200, native: { blob } });
  });

  // They would be asked for blocks there, by this supernode and by all neighbours.
  it.each([
    ['127.0.0.1', 1],
    ['10.1.2.3', 1],
    ['2001:4860::1', 1],
    ['127.0.0.2', 0],
    ['::1', 0],
    ['169.254.169.254', 0],
    ['0.0.0.0', 0],
    ['fe80::1', 0],
  ])('at %s is told of to %d neighbour', async (ip, neighbours) => {
    const [first, second] = [`first at ${ip}`, `second at ${ip}`].map((name) => name.replaceAll(' ', '-'));
    const path = `${SESSION_PATH}?cid=${second}&ip=127.0.0.1&port=15001`;
    const end = new AbortController();
    const session = await fetch(`http://127.0.0.1:${running.apiPort}${path}`, { signal: end.signal });
    const named = `sha256:${createHash('sha256').update(ip).digest('hex')}`;
    const fields = { rawUrl: running.url(`/v2/a/blobs/${named}`), native: { versions: [NATIVE_VERSION], blob: named } };
    expect(await register({ ...fields, cid: first, ip })).toMatchObject({ code: 200 });
    expect(await register({ ...fields, cid: second, ip: '127.0.0.1' })).toMatchObject({ code: 200 });
    let text = '';
    for await (const chunk of session.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (/"type":"neighbours".*\n/.test(text)) break;
    }
    end.abort();
    const line = text.split('\n').find((one) => one.includes('"type":"neighbours"'));
    expect((JSON.parse(line ?? '') as { peers: unknown[] }).peers).toHaveLength(neighbours);
  });

  // Each would end the sessions of all its neighbours, which read what they are told by a schema.
  it.each([{ cid: 'a name' }, { cid: 'näme' }, { cid: 'a'.repeat(201) }, { ip: 'fe80::1%eth0' }])(
    'for its %j is refused',
    async (fields) => {
      expect(await register(fields)).toEqual({
        code: 501,
        msg:
          'a daemon that speaks the native protocol needs a cid of at most 200 printable letters without spaces, ' +
          'an ip that is an IPv4 or IPv6 address without a zone, and a port from 1 to 65535, or 0 when it serves nobody',
      });
    },
  );
});
