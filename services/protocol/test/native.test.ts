import { generateKeyPairSync } from 'node:crypto';

import {
  LineCutter,
  LineError,
  attest,
  blobRoute,
  digestInUrl,
  editionOf,
  haveLine,
  isAttested,
  isOfEdition,
  lineOf,
  publicKeyText,
  readLines,
  readPublicKey,
  sessionEvent,
} from '@cdk8s-dragonfly/protocol';
import type { BlockStatement, Digest, HaveEvent } from '@cdk8s-dragonfly/protocol';
import * as fc from 'fast-check';

const blob: Digest = `sha256:${'ab'.repeat(32)}`;

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function* cutAt(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (const size of sizes) {
    yield await Promise.resolve(bytes.subarray(from, from + size));
    from += size;
  }
  if (from < bytes.length) yield bytes.subarray(from);
}

describe('an attestation', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = readPublicKey(publicKeyText(privateKey));
  const statement: BlockStatement = { blob, pieceSize: 4194304, index: 7, length: 262144, hash: Buffer.alloc(32, 1) };
  const { signature } = attest(statement, privateKey);

  it('holds for exactly what was stated', () => {
    expect(isAttested(statement, signature, publicKey)).toBe(true);
    expect(isAttested({ ...statement, index: 8 }, signature, publicKey)).toBe(false);
    expect(isAttested({ ...statement, length: 1 }, signature, publicKey)).toBe(false);
    expect(isAttested({ ...statement, pieceSize: 5242880 }, signature, publicKey)).toBe(false);
    expect(isAttested({ ...statement, hash: Buffer.alloc(32, 2) }, signature, publicKey)).toBe(false);
    expect(isAttested({ ...statement, blob: `task:${'ab'.repeat(32)}` }, signature, publicKey)).toBe(false);
    expect(isAttested({ ...statement, edition: 'ab'.repeat(16) }, signature, publicKey)).toBe(false);
    expect(isAttested(statement, signature.subarray(1), publicKey)).toBe(false);
  });

  it('does not hold under another key', () => {
    const other = generateKeyPairSync('ed25519').publicKey;
    expect(isAttested(statement, signature, other)).toBe(false);
  });

  it('refuses a key of another kind', () => {
    const rsa = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
    expect(() => readPublicKey(rsa.toString('base64'))).toThrow('the key is of type ec, not Ed25519');
  });
});

describe('an edition of what stands at a URL', () => {
  const marks = { size: 7, etag: '"one"', lastModified: 'Mon, 23 Nov 2026 08:00:00 GMT' };

  it('has the same name wherever a strong entity tag says that the bytes are the same, else one of its own', () => {
    expect(editionOf(marks).id).toBe(editionOf({ ...marks, lastModified: undefined }).id);
    for (const other of [{ etag: '"two"' }, { size: 8 }, { etag: 'W/"one"' }, { etag: undefined }]) {
      expect(editionOf({ ...marks, ...other }).id).not.toBe(editionOf(marks).id);
    }
    expect(editionOf({ ...marks, etag: 'W/"one"' }).id).not.toBe(editionOf({ ...marks, etag: 'W/"one"' }).id);
  });

  it('is recognized by all that was said of it, and never by nothing', () => {
    const { etag, lastModified } = marks;
    expect(isOfEdition(editionOf(marks), marks)).toBe(true);
    // Servers behind one name may give a file two dates, and the same tag.
    expect(isOfEdition(editionOf(marks), { etag, lastModified: 'Tue, 24 Nov 2026 08:00:00 GMT' })).toBe(true);
    expect(isOfEdition(editionOf(marks), { ...marks, etag: '"another"' })).toBe(false);
    expect(isOfEdition(editionOf({ lastModified }), { lastModified })).toBe(true);
    expect(isOfEdition(editionOf({ lastModified }), { lastModified: 'Tue, 24 Nov 2026 08:00:00 GMT' })).toBe(false);
    expect(isOfEdition(editionOf({ size: 7 }), { size: 7 })).toBe(false);
  });

  it('can be told, however long what the origin says is', () => {
    const edition = editionOf({ ...marks, etag: `"${'x'.repeat(600)}"` });
    const event = { type: 'task', blob: `task:${'ab'.repeat(32)}`, state: 'fetching', pieceSize: 4194304, edition };
    expect(sessionEvent.parse(event)).toEqual(event);
    expect(edition.etag).toBeUndefined();
  });
});

describe('a stream of lines', () => {
  it('gives the same documents however the bytes are cut', async () => {
    const events = [
      { type: 'ping' },
      { type: 'added', blob, blocks: [1, 2, 3] },
      { type: 'share', blob, share: { index: 1, count: 4 } },
      { type: 'share', blob, share: null },
    ];
    const bytes = Buffer.from(events.map((event) => lineOf(event)).join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 })), async (sizes) => {
        expect(await collect(readLines(cutAt(bytes, sizes), sessionEvent))).toEqual(events);
      }),
    );
  });

  it('ends with a clear error at the first line that is not of the protocol', async () => {
    const lines = (text: string): Promise<unknown> => collect(readLines(cutAt(Buffer.from(text), []), sessionEvent));
    await expect(lines('{"type":"nonsense"}\n')).rejects.toThrow(LineError);
    await expect(lines('hello\n')).rejects.toThrow('a line is not JSON: hello');
    await expect(lines('x'.repeat(5 * 1024 * 1024))).rejects.toThrow('longer than 1048576 bytes');
    await expect(lines(lineOf({ type: 'added', blob: 'sha256:../../etc', blocks: [] }))).rejects.toThrow(LineError);
  });

  it('tells what came before that line, and takes a line of a MiB and no longer one, however it comes', () => {
    const heard: unknown[] = [];
    const cutter = (): LineCutter<HaveEvent> => new LineCutter(haveLine, (document) => heard.push(document));
    expect(() => cutter().cut(Buffer.from('{"type":"ping"}\nx\n{"type":"ping"}\n'))).toThrow('a line is not JSON: x');
    expect(heard.splice(0)).toEqual([{ type: 'ping' }]);
    const longest = Buffer.from(lineOf({ type: 'ping' }).padStart(1024 * 1024 + 1));
    const whole = (line: Buffer) => (): void => cutter().cut(line);
    const inParts = (line: Buffer) => (): void => {
      const cutting = cutter();
      for (let at = 0; at < line.length; at += 100_000) cutting.cut(line.subarray(at, at + 100_000));
    };
    for (const cut of [whole, inParts]) {
      expect(cut(longest)).not.toThrow();
      expect(cut(Buffer.concat([Buffer.from(' '), longest]))).toThrow('longer than 1048576 bytes');
    }
    expect(heard).toEqual([{ type: 'ping' }, { type: 'ping' }]);
  });

  it('takes no more memory than the longest line for one that does not end, in few pieces, and lets it go with the line', () => {
    const most = 1024 * 1024;
    const taken = jest.spyOn(Buffer, 'allocUnsafe');
    try {
      const cutter = new LineCutter(haveLine, () => undefined);
      const sizes = (): number[] => taken.mock.calls.splice(0).map(([size]) => size);
      const blanks = Buffer.alloc(1000, ' ');
      for (let came = 0; came + 1000 <= most; came += 1000) cutter.cut(blanks);
      const first = sizes();
      expect(Math.max(...first)).toBe(most);
      expect(first.reduce((sum, size) => sum + size)).toBeLessThan(3 * most);
      expect(() => cutter.cut(blanks)).toThrow('longer than 1048576 bytes');
      expect(sizes()).toEqual([]);
      // Not the whole line and not yet its end: the next one begins small again.
      cutter.cut(Buffer.from(lineOf({ type: 'ping' })));
      sizes();
      cutter.cut(Buffer.from('{"typ'));
      expect(sizes()).toEqual([5]);
    } finally {
      taken.mockRestore();
    }
  });
});

describe('a path of the native protocol', () => {
  it('is a block or a stream of what a peer has, and nothing else', () => {
    expect(blobRoute(`/native/v3/blobs/${blob}/blocks/12`)).toEqual({ kind: 'block', blob, index: 12 });
    expect(blobRoute(`/native/v3/blobs/${blob}/have`)).toEqual({ kind: 'have', blob });
    expect(blobRoute(`/native/v3/blobs/${blob}/have/1`)).toBeUndefined();
    expect(blobRoute(`/native/v3/blobs/${blob}/blocks/99999999`)).toBeUndefined();
    expect(blobRoute(`/native/v3/blobs/${blob}/blocks/-1`)).toBeUndefined();
    expect(blobRoute('/native/v3/blobs/sha256:../blocks/1')).toBeUndefined();
  });
});

describe('the digest in a URL', () => {
  it('is found in registry URLs only', () => {
    expect(digestInUrl(new URL(`https://r.example/v2/a/b/blobs/${blob}?ns=x`))).toBe(blob);
    expect(digestInUrl(new URL(`https://r.example/v2/a/b/blobs/sha256%3A${'ab'.repeat(32)}`))).toBe(blob);
    expect(digestInUrl(new URL(`https://r.example/files/${blob}`))).toBeUndefined();
    expect(digestInUrl(new URL('https://r.example/v2/a/manifests/latest'))).toBeUndefined();
  });
});
