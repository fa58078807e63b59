import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder, and an origin with one file, anew for each test. */
export interface TestOrigin {
  readonly folder: string;
  readonly server: Server;
  /** Of the file. */
  readonly url: string;
  /** What it does with a request; anew for each test too. */
  answer: RequestListener;
}

/** Makes them before each test of a file, and takes them away. */
export function useOrigin(content: Buffer): TestOrigin {
  const whole: RequestListener = (_request, response) =>
    response.writeHead(200, { 'content-length': content.length }).end(content);
  const origin = { folder: '', server: createServer(), url: '', answer: whole };
  beforeEach(async () => {
    origin.folder = await mkdtemp(join(tmpdir(), 'dfget-'));
    origin.answer = whole;
    origin.server = createServer((request, response) => origin.answer(request, response));
    await new Promise<void>((resolve) => origin.server.listen(0, '127.0.0.1', resolve));
    origin.url = `http://127.0.0.1:${(origin.server.address() as AddressInfo).port}/dir/file.bin`;
  });
  afterEach(async () => {
    origin.server.closeAllConnections();
    await new Promise((resolve) => origin.server.close(resolve));
    await rm(origin.folder, { recursive: true });
  });
  return origin;
}
