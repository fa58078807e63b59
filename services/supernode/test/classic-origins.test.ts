import { createHash, randomBytes } from 'node:crypto';

import { filterUrl } from '@cdk8s-dragonfly/protocol';

import { PIECE, Site, chunked, closed, listening, status, whole } from './classic/fixture';
import type { OriginPath } from './classic/fixture';
import { BackToSource, OriginalClient } from './classic/original-client';
import { GO, PYTHON } from './classic/original-style';
import type { Fields, OriginalStyle } from './classic/original-style';

const CONTENT = randomBytes(10_000);
const md5Of = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
const MD5 = md5Of(CONTENT);

/** What a user wants, and what the origin has. */
interface Variant {
  readonly what: string;
  readonly path?: string;
  readonly origin: OriginPath;
  readonly content?: Buffer;
  /** Fields of the registration. */
  readonly more?: Fields;
  /** The option `-f`. */
  readonly filter?: string;
  /** It has no peer server, and reports nothing that is on disk. */
  readonly cdn?: boolean;
  /** The client gives the supernode up for this reason, after these codes. */
  readonly reason?: number;
  readonly codes?: readonly number[];
}

const secret: OriginPath = (request, response) =>
  (request.headers.authorization === 'Bearer tok' ? whole(CONTENT) : status(401))(request, response);
const signed: OriginPath = (request, response) =>
  ((request.url ?? '').includes('sig=xyz') ? whole(CONTENT) : status(403))(request, response);
const redirecting: OriginPath = (_request, response) => {
  response.writeHead(302, { location: '/elsewhere.bin' }).end();
};
const noRange: OriginPath = (_request, response) =>
  response.writeHead(200, { 'content-length': CONTENT.length, 'accept-ranges': 'none' }).end(CONTENT);
const several: OriginPath = (request, response) => {
  const { 'x-a': a, 'x-b': b } = request.headers;
  const isRight = String(a).replaceAll(' ', '') === '1,2' && b === 'a';
  (isRight ? whole(CONTENT) : status(400))(request, response);
};
const [one, two, empty] = [randomBytes(PIECE), randomBytes(2 * PIECE), Buffer.alloc(0)];

const VARIANTS: readonly Variant[] = [
  { what: '404', origin: status(404), reason: 1, codes: [607, 607] },
  { what: '401', origin: secret, reason: 1, codes: [607, 607] },
  { what: '401 and credentials', origin: secret, more: { headers: ['Authorization:Bearer tok'] } },
  { what: 'no length', origin: chunked(CONTENT) },
  { what: 'no length and two pieces', origin: chunked(two), content: two },
  { what: 'a redirect', origin: redirecting },
  { what: 'no byte', origin: whole(empty), content: empty },
  { what: 'exactly one piece', origin: whole(one), content: one },
  { what: 'exactly two pieces', origin: whole(two), content: two },
  { what: 'no Range', origin: noRange },
  { what: 'the MD5 that is asked for', origin: whole(CONTENT), more: { md5: MD5 } },
  { what: 'another MD5', origin: whole(CONTENT), more: { md5: '0'.repeat(32) }, reason: 3 },
  { what: 'an identifier', origin: whole(CONTENT), more: { identifier: 'abc' } },
  { what: 'a filter of one parameter', path: '/f.bin?a=1&sig=xyz&b=2', filter: 'sig', origin: signed },
  { what: 'a filter of all parameters', path: '/f.bin?sig=xyz', filter: 'sig', origin: signed },
  { what: 'the pattern cdn', origin: whole(CONTENT), cdn: true },
  { what: 'several headers', origin: several, more: { headers: ['X-A: 1', 'X-A:2', 'X-B:a', 'b'] } },
];

let site: Site;
beforeEach(async () => {
  site = await Site.start();
});
afterEach(async () => {
  await site.stop();
});

function client(style: OriginalStyle, url: string, { filter, more, cdn }: Partial<Variant> = {}): OriginalClient {
  const taskUrl = filter === undefined ? url : filterUrl(url, filter, style === GO ? 'go' : 'python');
  const options = { style, url, cid: '127.0.0.2-20017-1795406589.932', api: site.supernode.api.port };
  return new OriginalClient({ ...options, ...(cdn === true ? {} : { port: 20_000 }), more: { taskUrl, ...more } });
}

/** How a download ends: the MD5 of what came, or for which reason nothing came. */
async function endOf(downloading: OriginalClient): Promise<string | number> {
  try {
    return md5Of((await downloading.download()).content);
  } catch (error) {
    if (error instanceof BackToSource) return error.reason;
    throw error;
  }
}

describe.each([GO, PYTHON])('$name and an origin', (style) => {
  it.each(VARIANTS)('with $what', async (variant) => {
    const { path = '/file.bin', origin, content = CONTENT, reason, codes } = variant;
    site.serve('/elsewhere.bin', whole(CONTENT));
    const downloading = client(style, site.serve(path, origin), variant);
    expect(await endOf(downloading)).toBe(reason ?? md5Of(content));
    const forbidden = downloading.codes.filter((code) => [603, 610].includes(code));
    expect(forbidden).toEqual([]);
    expect(codes === undefined ? codes : downloading.codes).toEqual(codes);
  });

  it('that cannot be reached', async () => {
    const gone = await listening(() => undefined);
    await closed(gone.server);
    const downloading = client(style, `http://127.0.0.1:${gone.port}/small.bin`);
    expect(await endOf(downloading)).toBe(1);
    expect(downloading.codes).toEqual([607, 607]);
  });

  it('and a supernode that cannot be reached', async () => {
    const gone = await listening(() => undefined);
    await closed(gone.server);
    const url = site.serve('/file.bin', whole(CONTENT));
    const downloading = new OriginalClient({ style, url, cid: 'a', api: gone.port });
    expect(await endOf(downloading)).toBe(1);
    expect(downloading.codes).toEqual([]);
  });

  it('fetches the raw URL once for a task that is named by the filtered one', async () => {
    const [first, second] = ['/f.bin?a=1&sig=xyz', '/f.bin?a=1&sig=xyz2'].map((path) => site.serve(path, signed));
    for (const url of [first, second]) expect(await endOf(client(style, url ?? '', { filter: 'sig' }))).toBe(MD5);
    expect([site.requestsFor('/f.bin?a=1&sig=xyz'), site.requestsFor('/f.bin?a=1&sig=xyz2')]).toEqual([1, 0]);
  });
});
