'use strict';

// A registry that makes each image up when it is asked for, and counts what it sends. Runs in a pod, from a ConfigMap.
const { Buffer } = require('node:buffer');
const { createHash, createCipheriv } = require('node:crypto');
const { createServer } = require('node:http');
const { URL } = require('node:url');
const { gzipSync } = require('node:zlib');

/** Of the images that are made up: what else is asked for here, such as our own, is not to be mistaken for them. */
const MADE_UP = 'dragonfly-test/';
const LAYERS = 3;
const LAYER_BYTES = Number(process.env.LAYER_BYTES);
const blobs = new Map();
const manifests = new Map();
const sent = new Map();

const digestOf = (data) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** Bytes that no compression makes smaller, the same for the same name. */
function noise(name, length) {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(name).digest(), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(length));
}

function tarEntry(name, data, mode) {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write(mode.toString(8).padStart(7, '0'), 100);
  head.write('0000000', 108);
  head.write('0000000', 116);
  head.write(data.length.toString(8).padStart(11, '0'), 124);
  head.write('00000000000', 136);
  head.write('        ', 148);
  head.write('0', 156);
  head.write('ustar\u000000', 257);
  head.write(
    `${head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return Buffer.concat([head, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

/** A program that ends with 0 and needs nothing. */
function program() {
  const x64 = process.arch === 'x64';
  const code = x64 ? '31ffb83c0000000f05' : '000080d2a80b80d2010000d4';
  const head = Buffer.alloc(120);
  head.write('7f454c46020101', 0, 'hex');
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(x64 ? 62 : 183, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(0x400078n, 24);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64);
  head.writeUInt32LE(5, 68);
  head.writeBigUInt64LE(0x400000n, 80);
  head.writeBigUInt64LE(0x400000n, 88);
  const whole = Buffer.concat([head, Buffer.from(code, 'hex')]);
  whole.writeBigUInt64LE(BigInt(whole.length), 96);
  whole.writeBigUInt64LE(BigInt(whole.length), 104);
  whole.writeBigUInt64LE(0x1000n, 112);
  return whole;
}

function blob(data) {
  const digest = digestOf(data);
  blobs.set(digest, data);
  return { digest, size: data.length };
}

function imageOf(name) {
  const known = manifests.get(name);
  if (known !== undefined) return known;
  const layers = Array.from({ length: LAYERS }, (_, i) =>
    Buffer.concat([
      tarEntry(`data-${i}`, noise(`${name} ${i}`, LAYER_BYTES), 0o644),
      ...(i === 0 ? [tarEntry('end', program(), 0o755)] : []),
      Buffer.alloc(1024),
    ]),
  );
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
      os: 'linux',
      config: { Entrypoint: ['/end'] },
      rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
      history: layers.map(() => ({ created: '2020-01-01T00:00:00Z' })),
    }),
  );
  const docker = 'application/vnd.docker';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${docker}.distribution.manifest.v2+json`,
      config: { mediaType: `${docker}.container.image.v1+json`, ...blob(config) },
      layers: layers.map((layer) => ({
        mediaType: `${docker}.image.rootfs.diff.tar.gzip`,
        ...blob(gzipSync(layer, { level: 1 })),
      })),
    }),
  );
  manifests.set(name, manifest);
  manifests.set(digestOf(manifest), manifest);
  return manifest;
}

function serve(request, response) {
  const { pathname } = new URL(request.url, 'http://origin');
  if (pathname === '/sent') {
    const all = [...sent].map(([digest, bytes]) => ({ digest, bytes, size: blobs.get(digest).length }));
    response.end(JSON.stringify(all));
    return;
  }
  if (pathname === '/v2/') {
    response.end('{}');
    return;
  }
  const [, name, kind, reference] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
  const found =
    kind === 'manifests'
      ? reference.startsWith('sha256:')
        ? manifests.get(reference)
        : name.startsWith(MADE_UP)
          ? imageOf(`${name}:${reference}`)
          : undefined
      : blobs.get(reference);
  if (found === undefined) {
    response.writeHead(404).end();
    return;
  }
  const [, from, to] = /^bytes=([0-9]+)-([0-9]*)$/.exec(request.headers.range ?? '') ?? [];
  const part = from === undefined ? found : found.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
  response.writeHead(from === undefined ? 200 : 206, {
    'Content-Length': part.length,
    'Docker-Content-Digest': digestOf(found),
    'Content-Type': kind === 'manifests' ? JSON.parse(found).mediaType : 'application/octet-stream',
    ...(from === undefined
      ? {}
      : { 'Content-Range': `bytes ${from}-${Number(from) + part.length - 1}/${found.length}` }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if (kind === 'blobs') sent.set(reference, (sent.get(reference) ?? 0) + part.length);
  response.end(part);
}

createServer(serve).listen(5000, () => console.log('serving'));
process.once('SIGTERM', () => process.exit(0));
