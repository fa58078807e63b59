'use strict';

/**
 * Pulls images as containerd does, when it is asked to: `POST /pull` on port 9000 with an order as JSON, answered with what it took when all
 * is here and every digest was checked. Plain JavaScript, and little of it: its own CPU is part of what a node does.
 */
const { Buffer } = require('node:buffer');
const { createHash } = require('node:crypto');
const http = require('node:http');
const { performance } = require('node:perf_hooks');
const { URL } = require('node:url');

/** Layers at a time: containerd's default. */
const AT_ONCE = 3;
const PORT = 9000;

const agent = new http.Agent({ keepAlive: true });
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const headers = { accept: `${MANIFEST}, */*`, 'user-agent': 'containerd/1.6 (bench)' };

function open(base, path, method = 'GET') {
  return new Promise((resolve, reject) => {
    const request = http.request(new URL(path, base), { method, agent, headers }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`${method} ${path}: ${response.statusCode}`));
    });
    request.on('error', (error) => reject(new Error(`${method} ${path}: ${error.message}`)));
    request.end();
  });
}

/** Reads a body; tells when its first byte came, how long it took, and fails when it is not what its digest says. */
async function take(base, path, { digest, size }) {
  const began = performance.now();
  const response = await open(base, path);
  const hash = createHash('sha256');
  let bytes = 0;
  let firstByte;
  await new Promise((resolve, reject) => {
    response.on('data', (chunk) => {
      firstByte ??= performance.now() - began;
      bytes += chunk.length;
      hash.update(chunk);
    });
    response.on('end', resolve);
    response.on('error', (error) => reject(new Error(`${path} broke after ${bytes} bytes: ${error.message}`)));
  });
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== digest || bytes !== size) throw new Error(`WRONG BYTES: ${path} gave ${bytes} bytes of ${found}`);
  return { firstByte, ms: performance.now() - began };
}

async function pull({ base, repository, tag, manifest, config, layers }) {
  const began = performance.now();
  const root = `/v2/${repository}`;
  const head = await open(base, `${root}/manifests/${tag}`, 'HEAD');
  head.resume();
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
