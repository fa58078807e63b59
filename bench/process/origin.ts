import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';

import { Content } from './content';

/**
 * The registry of the bench, a process of its own: blobs that it makes up, at `/v2/bench/blobs/<digest>`. Arguments: the port, the length of a
 * blob in bytes, how many. Writes their digests in one line when they are known.
 */
async function main([port, length, count]: readonly string[]): Promise<void> {
  const contents = new Map(
    Array.from({ length: Number(count) }, () => new Content(Number(length))).map((content) => [
      content.digest,
      content,
    ]),
  );
  const server = createServer((request, response) => {
    const digest = /^\/v2\/bench\/blobs\/(sha256:[0-9a-f]{64})$/.exec(request.url ?? '')?.[1] ?? '';
    const content = contents.get(digest);
    if (content === undefined) response.writeHead(404, { 'content-length': 0 }).end();
    else give(content, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(Number(port), '127.0.0.1');
  await once(server, 'listening');
  process.stdout.write(`${[...contents.keys()].join(' ')}\n`);
}

async function give(content: Content, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length });
  for (let number = 0; number < content.chunks && !response.destroyed; number += 1) {
    if (!response.write(content.at(number))) {
      const gone = new AbortController();
      const close = (): void => gone.abort();
      response.once('close', close);
      await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
      response.off('close', close);
    }
  }
  response.end();
}

void main(process.argv.slice(2));
