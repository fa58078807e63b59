'use strict';

/**
 * Pulls images as containerd does, when it is asked to: `POST /pull` on port 9000 with an order as JSON, answered with what it took when all
 * is here and every digest was checked. Plain JavaScript, and little of it, on bare sockets: its own CPU is part of what a node does.
 */
const { Buffer } = require('node:buffer');
const { createHash } = require('node:crypto');
const http = require('node:http');
const net = require('node:net');
const { performance } = require('node:perf_hooks');
const { URL } = require('node:url');

/** Layers at a time: containerd's default. */
const AT_ONCE = 3;
const PORT = 9000;

/** So much is read at a time at most. */
const READ = 256 * 1024;

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const HEADERS = `accept: ${MANIFEST}, */*\r\nuser-agent: containerd/1.6 (bench)\r\n`;

/** Connections that may be used again, by their URL. */
const idle = new Map();

/** One connection of HTTP/1.1, for one request at a time whose answer has a length. */
class Connection {
  constructor(base) {
    this.base = base;
    const { hostname: host, port } = new URL(base);
    this.socket = net.connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ),
        callback: (length, buffer) => this.took(buffer.subarray(0, length)),
      },
    });
    this.socket.on('error', (error) => this.failed(error));
    this.socket.on('close', () => this.failed(new Error('the connection was closed')));
  }

  /** @param part is called with each part of the body, which is another's afterwards. */
  async ask(method, path, part) {
    await new Promise((resolve, reject) => {
      Object.assign(this, { method, part, resolve, reject, head: '', left: undefined });
      this.socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${new URL(this.base).host}\r\n${HEADERS}\r\n`);
    });
    if (!/^connection: close/im.test(this.head)) idle.set(this.base, [...(idle.get(this.base) ?? []), this]);
  }

  took(bytes) {
    let body = bytes;
    if (this.left === undefined) {
      this.head += bytes.toString('latin1');
      const end = this.head.indexOf('\r\n\r\n');
      if (end === -1) return true;
      body = bytes.subarray(bytes.length - (this.head.length - end - 4));
      this.head = this.head.slice(0, end);
      const [status] = this.head.split('\r\n');
      const length = /^content-length: *(\d+) *$/im.exec(this.head)?.[1];
      if (!status.startsWith('HTTP/1.1 200 ') || length === undefined)
        this.failed(new Error(`${status}, of ${length} bytes`));
      this.left = this.method === 'HEAD' ? 0 : Number(length);
    }
    this.left -= body.length;
    if (body.length > 0) this.part?.(body);
    if (this.left === 0) this.resolve?.();
    if (this.left < 0) this.failed(new Error('the answer is longer than it says'));
    return true;
  }

  failed(error) {
    this.socket.destroy();
    idle.set(
      this.base,
      (idle.get(this.base) ?? []).filter((other) => other !== this),
    );
    this.reject?.(error);
  }
}

async function ask(base, method, path, part) {
  const used = idle.get(base)?.pop();
  const connection = used ?? new Connection(base);
  try {
    await connection.ask(method, path, part);
  } catch (error) {
    // The other side may have closed it just as it was used again.
    if (used !== undefined && used.head === '') await ask(base, method, path, part);
    else throw new Error(`${method} ${path}: ${error.message}`, { cause: error });
  }
}

/** Reads a body; tells when its first byte came, how long it took, and fails when it is not what its digest says. */
async function take(base, path, { digest, size }) {
  const began = performance.now();
  const hash = createHash('sha256');
  let bytes = 0;
  let firstByte;
  await ask(base, 'GET', path, (part) => {
    firstByte ??= performance.now() - began;
    bytes += part.length;
    hash.update(part);
  });
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== digest || bytes !== size) throw new Error(`WRONG BYTES: ${path} gave ${bytes} bytes of ${found}`);
  return { firstByte, ms: performance.now() - began };
}

async function pull({ base, repository, tag, manifest, config, layers }) {
  const began = performance.now();
  const root = `/v2/${repository}`;
  await ask(base, 'HEAD', `${root}/manifests/${tag}`);
  await take(base, `${root}/manifests/${manifest.digest}`, manifest);
  await take(base, `${root}/blobs/${config.digest}`, config);
  const taken = [];
  const left = layers.entries();
  const one = async () => {
    for (const [index, layer] of left) taken[index] = await take(base, `${root}/blobs/${layer.digest}`, layer);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return { ms: performance.now() - began, layers: taken };
}

async function answer(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.method === 'GET') return response.end('ready\n');
  const { order, blob } = JSON.parse(Buffer.concat(chunks).toString());
  const result = await (order === undefined ? take(blob.base, blob.path, blob) : pull(order));
  return response.end(JSON.stringify(result));
}

http
  .createServer((request, response) => {
    answer(request, response).catch((error) => {
      response.statusCode = 500;
      response.end(error.message);
    });
  })
  .listen(PORT);
