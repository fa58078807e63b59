import { NATIVE_VERSION } from '@cdk8s-dragonfly/protocol';

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
