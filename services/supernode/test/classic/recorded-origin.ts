import { createHash, randomBytes } from 'node:crypto';

import { digestOf } from '@cdk8s-dragonfly/protocol';

import { chunked, status, whole } from './fixture';
import type { OriginPath, Site } from './fixture';

/** The MD5 that recorded clients asked for. */
const RECORDED_MD5 = 'f7d1cba0e034cf5acbfdd12d2b56c605';

/** A file of the recordings' origin. */
export interface RecordedFile {
  readonly content: Buffer;
  /** Whether a client is told its length at registration. */
  readonly told: boolean;
  /** Whether it is given to those with credentials only. */
  readonly secret: boolean;
}

const SMALL = randomBytes(10_000);
const CONTENTS = new Map([
  ['file25m.bin', randomBytes(26_214_400)],
  ['small.bin', SMALL],
  ['empty.bin', Buffer.alloc(0)],
  ['exact1.bin', randomBytes(4_194_299)],
  ['exact2.bin', randomBytes(8_388_598)],
  ['sha256:abc', SMALL],
]);

/** What the recorded registry had, by digest: the content is ours, of the same length. */
const BLOBS = new Map([
  ['1f3b2c0d1c2d4fc50260aea39e678b393c56bc4c079b68f01061f0c38374def9', randomBytes(6_293_589)],
  ['6b60832cc36469bd57ca1a64f304b7d57a1904f39c0984de94a930911ae8c481', randomBytes(2208)],
  ['d919061762a8561d54d18a186797067c5b5f6de517b4c4c05fb08e23477b6462', randomBytes(248)],
]);

const PATHS = [
  ...['file25m.bin', 'small.bin', 'empty.bin', 'exact1.bin', 'exact2.bin'].map((name) => `/${name}`),
  ...['/auth/small.bin', '/chunked/small.bin', '/chunked/exact2.bin', '/redir/small.bin', '/norange/small.bin'],
  ...['/sig/small.bin?a=1&sig=xyz&b=2', '/sig/small.bin?sig=xyz', '/nometa/small.bin', '/nometa/exact1.bin'],
  ...['/auth/v2/x/blobs/sha256:abc', '/redir/v2/x/blobs/sha256:abc', '/nometa/v2/blobs/sha256:abc'],
];

/** The origin and the registry of the recordings, at the origin of a site. */
export class RecordedOrigin {
  private readonly files = new Map<string, RecordedFile>();
  private readonly host: string;
  private readonly replacements: readonly (readonly [string, string])[];

  constructor(site: Site) {
    const base = site.serve('/e404', status(404));
    const host = new URL(base).host;
    this.host = host;
    for (const path of PATHS) {
      const content = CONTENTS.get(/([^/?]+)(?:\?|$)/.exec(path.split('?')[0] ?? '')?.[1] ?? '') ?? SMALL;
      const secret = path.startsWith('/auth/');
      this.files.set(path, { content, told: !path.startsWith('/chunked/'), secret });
      site.serve(path, handlerOf(path, content, host));
    }
    const digests = [...BLOBS].map(([recorded, content]) => {
      const ours = digestOf(content).slice('sha256:'.length);
      const path = `/v2/demo/app/blobs/sha256:${ours}`;
      site.serve(path, whole(content));
      this.files.set(path, { content, told: true, secret: false });
      return [recorded, ours] as const;
    });
    const hosts = ['127.0.0.1:9000', '127.0.0.1:5000'].flatMap((recorded) => [
      [recorded, host] as const,
      [encodeURIComponent(recorded), encodeURIComponent(host)] as const,
    ]);
    const md5 = createHash('md5').update(SMALL).digest('hex');
    this.replacements = [...hosts, ...digests, [RECORDED_MD5, md5]];
  }

  /** What was recorded, with the places of today. */
  today(text: string): string {
    return this.replacements.reduce((all, [before, now]) => all.replaceAll(before, now), text);
  }

  /** The file at a URL; undefined when there is none. */
  at(url: string): RecordedFile | undefined {
    const { host, pathname, search } = new URL(url);
    return host === this.host ? this.files.get(pathname + search) : undefined;
  }
}

function handlerOf(path: string, content: Buffer, host: string): OriginPath {
  if (path.startsWith('/chunked/')) return chunked(content);
  if (path.startsWith('/redir/')) {
    return (_request, response) => response.writeHead(302, { location: `http://${host}/small.bin` }).end();
  }
  if (path.startsWith('/auth/')) {
    return (request, response) =>
      (request.headers.authorization === undefined ? status(401) : whole(content))(request, response);
  }
  return whole(content);
}
