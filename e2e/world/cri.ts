import { connect as createSocket } from 'node:net';
import { connect } from 'node:http2';
import type { User } from './token-server';

const PULL_IMAGE = '/runtime.v1.ImageService/PullImage';
const VERSION = '/runtime.v1.RuntimeService/Version';
/** Protocol Buffers: field 1, length-delimited. The only field that is needed of any of the messages. */
const FIELD_1 = 0x0a;

/**
 * Asks a container runtime for an image as kubelet does: gRPC on its CRI socket.
 *
 * @param socket path of the unix socket
 * @param reference such as `docker.io/library/NAME:TAG`
 * @returns the id that the runtime gives the image: the digest of its configuration
 * @throws Error with the runtime's message when the pull fails or does not end in time
 */
export async function pullByCri(socket: string, reference: string, limitMs: number, user?: User): Promise<string> {
  // PullImageRequest { ImageSpec image = 1, AuthConfig auth = 2 }, ImageSpec { string image = 1 },
  // AuthConfig { string username = 1, string password = 2 }, PullImageResponse { string image_ref = 1 }
  const image = field(1, field(1, Buffer.from(reference)));
  const names = [user?.username ?? '', user?.password ?? ''].map((text, index) => field(index + 1, Buffer.from(text)));
  const request = user === undefined ? image : Buffer.concat([image, field(2, Buffer.concat(names))]);
  return textOf(await call(socket, PULL_IMAGE, request, limitMs));
}

/**
 * Asks a container runtime for the version of its CRI.
 *
 * @throws Error as long as the runtime is not ready for CRI calls
 */
export async function criVersion(socket: string, limitMs = 5000): Promise<string> {
  // VersionRequest {}, VersionResponse { string version = 1; … }
  return textOf(await call(socket, VERSION, Buffer.alloc(0), limitMs));
}

/** A string that is the first field of a message. */
function textOf(message: Buffer): string {
  const length = message[1] ?? 0;
  if (message[0] !== FIELD_1 || length > 127) throw new Error(`No text in the answer ${message.toString('hex')}.`);
  return message.toString('utf8', 2, 2 + length);
}

/** A length-delimited field. */
function field(number: number, content: Buffer): Buffer {
  if (content.length > 127) throw new Error(`${content.length} bytes need a longer length than this writes.`);
  return Buffer.concat([Buffer.from([number * 8 + 2, content.length]), content]);
}

/** One unary gRPC call (gRPC over HTTP/2): a message each way, each behind a flag byte and its length in four bytes. */
async function call(socket: string, method: string, message: Buffer, limitMs: number): Promise<Buffer> {
  const session = connect('http://localhost', { createConnection: () => createSocket(socket) });
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({
        ':method': 'POST',
        ':path': method,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const limit = setTimeout(() => {
        reject(new Error(`${method} did not end within ${limitMs} ms`));
      }, limitMs);
      const chunks: Buffer[] = [];
      let status = '';
      const read = (headers: Readonly<Record<string, unknown>>): void => {
        if (headers['grpc-status'] === undefined) return;
        const text = typeof headers['grpc-message'] === 'string' ? headers['grpc-message'] : '';
        status = headers['grpc-status'] === '0' ? 'OK' : decodeURIComponent(text);
      };
      stream.on('response', read);
      stream.on('trailers', read);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('close', () => {
        clearTimeout(limit);
        if (status === 'OK') resolve(Buffer.concat(chunks).subarray(5));
        else reject(new Error(`${method} failed: ${status === '' ? 'no status' : status}`));
      });
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([prefix, message]));
    });
  } finally {
    session.destroy();
  }
}
