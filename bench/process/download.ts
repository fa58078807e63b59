import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { connect } from 'node:net';

const BUFFER = 1024 * 1024;

/** A download that gets no byte for this long, in ms, has failed. */
const STALLED = 20_000;

const END_OF_HEAD = '\r\n\r\n';

/** What is asked, and what is done with it. */
export interface DownloadOptions {
  readonly port: number;
  readonly path: string;
  /** Default: the bytes are only counted. */
  readonly hash?: Hash;
}

/**
 * Gets a file over a connection of its own, as cheaply as a process can, and lets its bytes go.
 *
 * @returns its length.
 * @throws Error when it is not answered with 200, or ends early.
 */
export async function download({ port, path, hash }: DownloadOptions): Promise<number> {
  let head: string | undefined = '';
  let expected = NaN;
  let length = 0;
  const buffer = Buffer.allocUnsafe(BUFFER);
  return new Promise<number>((resolve, reject) => {
    const take = (size: number): boolean => {
      let bytes = buffer.subarray(0, size);
      if (head !== undefined) {
        head += bytes.toString('latin1');
        const end = head.indexOf(END_OF_HEAD);
        if (end < 0) return true;
        const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(head) ?? [];
        const [, announced] = /\r\ncontent-length: (\d+)\r\n/i.exec(head) ?? [];
        if (status !== '200' || announced === undefined) {
          socket.destroy(new Error(`${path} was answered with ${head.slice(0, 200)}`));
          return false;
        }
        expected = Number(announced);
        bytes = bytes.subarray(bytes.length - (head.length - end - END_OF_HEAD.length));
        head = undefined;
      }
      hash?.update(bytes);
      length += bytes.length;
      if (length >= expected) {
        resolve(length);
        socket.destroy();
      }
      return true;
    };
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer, callback: take } });
    socket.setTimeout(STALLED, () => socket.destroy(new Error(`${path}: nothing came for ${STALLED} ms`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${path} ended after ${length} of ${expected} bytes`)));
    socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  });
}

/**
 * A blob through a registry mirror, its digest checked.
 *
 * @throws Error when its digest is another.
 */
export async function pull(port: number, digest: string): Promise<void> {
  const hash = createHash('sha256');
  await download({ port, path: `/v2/bench/blobs/${digest}`, hash });
  const got = `sha256:${hash.digest('hex')}`;
  if (got !== digest) throw new Error(`${digest} came as ${got}`);
}
