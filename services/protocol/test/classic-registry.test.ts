import fc from 'fast-check';
import {
  formatHeaderFields,
  formatRegistryRequest,
  parseHeaderFields,
  parseRegistryRequest,
} from '@cdk8s-dragonfly/protocol';
import type { RegistryRequest } from '@cdk8s-dragonfly/protocol';

const FIELDS = {
  rawUrl: 'http://127.0.0.1:9000/small.bin',
  cid: '127.0.0.2-8899-1795406219.563',
  ip: '127.0.0.2',
  port: 49687,
  path: '/peer/file/a b.bin-8899-1795406219.563',
};
const HEX = 'ab'.repeat(32);

function understood(body: string): RegistryRequest {
  const parsed = parseRegistryRequest(body);
  if (!parsed.ok) throw new Error(parsed.refusal.msg);
  return parsed.value;
}

function refusalOf(fields: object): string {
  const parsed = parseRegistryRequest(JSON.stringify({ ...FIELDS, ...fields }));
  if (parsed.ok) return 'accepted';
  expect(parsed.refusal.code).toBe(501);
  return parsed.refusal.msg;
}

describe('a registration', () => {
  it('may spell names in any case and the port as text', () => {
    const { rawUrl, cid, ip, path } = FIELDS;
    const value = understood(
      JSON.stringify({
        RAWURL: rawUrl,
        CID: cid,
        IP: ip,
        Port: '15000',
        PATH: path,
        DFDaemon: 'TRUE',
        unknownField: 1,
      }),
    );
    expect(value).toMatchObject({ rawUrl, taskUrl: rawUrl, cid, ip, port: 15_000, path, headers: [], dfdaemon: true });
  });

  it('takes null and empty texts as absent', () => {
    const value = understood(
      JSON.stringify({ ...FIELDS, taskUrl: '', md5: null, headers: null, port: '', native: null }),
    );
    expect(value).toMatchObject({ taskUrl: FIELDS.rawUrl, headers: [], port: 0, dfdaemon: false });
    expect(value.md5).toBeUndefined();
    expect(value.native).toBeUndefined();
  });

  it('carries headers as a list, one text or repeated form fields', () => {
    const fields = Object.entries(FIELDS).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const form = [...fields, 'headers=X-A%3A+1', 'Headers=X-B%3A2'].join('&');
    const headers = [
      ['X-A', '1'],
      ['X-B', '2'],
    ];
    expect(understood(form).headers).toEqual(headers);
    expect(understood(JSON.stringify({ ...FIELDS, headers: ['X-A: 1', 'X-B:2'] })).headers).toEqual(headers);
    expect(understood(JSON.stringify({ ...FIELDS, headers: 'X-A:1' })).headers).toEqual([['X-A', '1']]);
  });

  it('cannot offer the native protocol in a form, where the field is unknown', () => {
    const form = Object.entries({ ...FIELDS, native: '{}' }).map(([name, value]) => `${name}=${value}`);
    expect(understood(form.join('&'))).toMatchObject({ path: FIELDS.path, native: undefined });
  });

  it('may offer the native protocol', () => {
    for (const blob of [`sha256:${HEX}`, `task:${HEX}`]) {
      const native = { versions: [1, 2], blob };
      expect(understood(JSON.stringify({ ...FIELDS, native: { ...native, more: true } })).native).toEqual(native);
    }
  });

  it.each([
    [{ versions: [], blob: `task:${HEX}` }],
    [{ versions: [0], blob: `task:${HEX}` }],
    [{ versions: [1.5], blob: `task:${HEX}` }],
    [{ versions: ['1'], blob: `task:${HEX}` }],
    [{ versions: [1] }],
    [{ versions: [1], blob: `sha512:${HEX}` }],
    [{ versions: [1], blob: `sha256:${HEX.toUpperCase()}` }],
    [{ versions: [1], blob: `sha256:${HEX}/../x` }],
    [7],
    [[]],
  ])('is refused with the malformed native offer %j', (native) => {
    expect(refusalOf({ native })).toMatch(
      /^native has to be \{"versions": \[whole numbers from 1\], "blob": "sha256:<64 hex>" or "task:<64 hex>"\}; given was /,
    );
  });

  it.each([
    [{ port: -1 }, "port has to be the port of the client's peer server, 0 (none) to 65535; given was -1."],
    [{ port: 65_536 }, "port has to be the port of the client's peer server, 0 (none) to 65535; given was 65536."],
    [{ port: '8x' }, 'port has to be the port of the client\'s peer server, 0 (none) to 65535; given was "8x".'],
    [{ port: 1.5 }, "port has to be the port of the client's peer server, 0 (none) to 65535; given was 1.5."],
    [{ md5: 5 }, 'md5 has to be text of at most 4096 characters; given was 5.'],
    ...['hostName', 'superNodeIp', 'version', 'md5', 'identifier', 'callSystem'].map(
      (name): [Record<string, unknown>, string] => [
        { [name]: 'a'.repeat(4097) },
        `${name} has to be text of at most 4096 characters; given was "${'a'.repeat(79)}….`,
      ],
    ),
    [{ dfdaemon: 'yes' }, 'dfdaemon has to be true or false; given was "yes".'],
    [
      { headers: ['Authorization: secret', 1] },
      'headers has to be a list of texts "Name:value"; given was something else.',
    ],
    [
      { rawUrl: 'file:///etc/passwd' },
      'rawUrl has to be an absolute http or https URL; given was "file:///etc/passwd".',
    ],
    [
      { rawUrl: 'ftp://u:p@h/x?s=secret' },
      'rawUrl has to be an absolute http or https URL; given was "ftp://h/x?s=<redacted>".',
    ],
    [{ rawUrl: 'http://' }, 'rawUrl has to be an absolute http or https URL; given was "http://".'],
    [
      { path: '@elsewhere/x' },
      'path has to be the file\'s path on the client\'s peer server, at most 4000 long and starting with one slash; given was "@elsewhere/x".',
    ],
    [
      { cid: 'a\r\nb' },
      'cid has to be the client\'s name, at most 500 long and without control characters; given was "a\\r\\nb".',
    ],
    [
      { cid: 'a'.repeat(501) },
      `cid has to be the client's name, at most 500 long and without control characters; given was "${'a'.repeat(79)}….`,
    ],
  ])('is refused with %j', (fields, msg) => {
    expect(refusalOf(fields)).toBe(msg);
  });

  it.each(['', 'x', '[]', '{', '{"a":', 'null', '7', '%', '=&=&', '{"__proto__":{"cid":"x"}}'])('is not %j', (body) => {
    expect(parseRegistryRequest(body)).toMatchObject({ ok: false, refusal: { code: 501 } });
  });

  it('is refused with what can be read and not be shown', () => {
    const body = `{"rawUrl":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(parseRegistryRequest(body)).toMatchObject({
      refusal: {
        msg: 'rawUrl has to be an absolute http or https URL; given was too many lists or objects in one another.',
      },
    });
  });

  it('never throws, whatever the body', () => {
    const name = fc.constantFrom(...Object.keys(FIELDS), 'headers', 'native', 'dfdaemon', 'taskUrl', '__proto__', 'x');
    const json = fc.dictionary(name, fc.jsonValue()).map((fields) => JSON.stringify(fields));
    const form = fc
      .array(fc.tuple(name, fc.string({ unit: 'binary' })))
      .map((pairs) => pairs.map((p) => p.join('=')).join('&'));
    const patched = fc.dictionary(name, fc.jsonValue()).map((fields) => JSON.stringify({ ...FIELDS, ...fields }));
    fc.assert(
      fc.property(fc.oneof(json, form, patched, fc.string({ unit: 'binary' }), fc.json()), (body) => {
        const parsed = parseRegistryRequest(body);
        const given = parsed.ok ? parsed.value.cid : parsed.refusal.msg;
        expect(given).toMatch(/./);
        expect(parsed.ok ? 501 : parsed.refusal.code).toBe(501);
      }),
      { numRuns: 500 },
    );
  });

  it('arrives as it was written', () => {
    const request: RegistryRequest = {
      ...FIELDS,
      taskUrl: FIELDS.rawUrl,
      hostName: 'h',
      superNodeIp: '127.0.0.1',
      callSystem: 'x',
      md5: 'm',
      headers: [
        ['Authorization', 'Bearer a,b:c'],
        ['X-A', '"q"'],
      ],
      dfdaemon: true,
      native: { versions: [1], blob: `task:${HEX}` },
    };
    expect(understood(formatRegistryRequest(request))).toEqual(request);
    const plain = { ...FIELDS, taskUrl: FIELDS.rawUrl, headers: [], dfdaemon: false };
    expect(JSON.parse(formatRegistryRequest(plain))).toEqual({ ...FIELDS, taskUrl: FIELDS.rawUrl });
  });
});

describe('header fields', () => {
  it('are split at the first colon, trimmed, joined by name; the rest is dropped', () => {
    const fields = ['X-A: 1', 'x-a:2', ' application/b', 'X-B:', 'X-C : a:b ', 'X D:1', 'X-E:a\r\nX-F: b', ':x'];
    expect(parseHeaderFields(fields)).toEqual([
      ['X-A', '1,2'],
      ['X-C', 'a:b'],
    ]);
  });

  it('arrive as they were written', () => {
    const lines = [
      ['User-Agent', 'skopeo/1.9.3'],
      ['Authorization', 'Bearer t,o:k'],
    ] as const;
    expect(parseHeaderFields(formatHeaderFields(lines))).toEqual(lines);
  });

  it('never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (fields) => {
        for (const [name, value] of parseHeaderFields(fields)) expect(`${name}:${value}`).not.toMatch(/[\r\n\0]/);
      }),
    );
  });
});
