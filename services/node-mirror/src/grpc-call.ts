import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { reasonOf } from './files/errno';

/** The status of a gRPC call that says that the service is not there. */
export const UNIMPLEMENTED = '12';

/** A gRPC call that was answered with another status than OK. */
export class GrpcError extends Error {
  constructor(
    readonly status: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * One call with an empty message to a server on a unix socket: gRPC is HTTP/2 with a flag byte and a length in four bytes before each
 * message. All that node-mirror asks of containerd and CRI-O is their version, which needs no more than this.
 *
 * @returns the message of the answer
 * @throws GrpcError for a status; Error, the system's with its code, when nobody answers in time
 */
export async function grpcCall(socket: string, method: string, timeoutMs: number): Promise<Buffer> {
  const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const limit = setTimeout(() => {
        reject(new Error(`it did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      session.on('error', (error) => {
        clearTimeout(limit);
        reject(error instanceof Error ? error : new Error(reasonOf(error)));
      });
      const stream = session.request({
        ':method': 'POST',
        ':path': method,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const chunks: Buffer[] = [];
      let status: string | undefined;
      let words = '';
      const read = (headers: Readonly<Record<string, unknown>>): void => {
        if (typeof headers['grpc-status'] === 'string') status = headers['grpc-status'];
        if (typeof headers['grpc-message'] === 'string') words = headers['grpc-message'];
      };
      stream.on('response', read);
      stream.on('trailers', read);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      // When nobody listens the stream ends too, and the reason is its cause.
      stream.on('error', (error: Error) => {
        clearTimeout(limit);
        reject(typeof error.cause === 'object' && error.cause !== null ? (error.cause as Error) : error);
      });
      stream.on('close', () => {
        clearTimeout(limit);
        if (status === '0') resolve(Buffer.concat(chunks).subarray(5));
        else
          reject(new GrpcError(status ?? '', `it answered ${method} with status ${status ?? 'none'} ${words}`.trim()));
      });
      stream.end(Buffer.alloc(5));
    });
  } finally {
    session.destroy();
  }
}

/** The text in a field of a message of Protocol Buffers; `''` when it is not there. Only lengths below 128 and texts before it. */
export function textField(message: Buffer, field: number): string {
  for (let at = 0; at + 1 < message.length;) {
    const [tag = 0, length = 0] = message.subarray(at, at + 2);
    if (tag % 8 !== 2 || length > 127) return '';
    if (tag >> 3 === field) return message.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
  }
  return '';
}

/** Asks the CRI of a runtime what it is. @returns its version; `''` when it does not say */
export async function criVersion(socket: string, timeoutMs: number): Promise<string> {
  // VersionResponse { version = 1; runtime_name = 2; runtime_version = 3; runtime_api_version = 4 }
  return textField(await grpcCall(socket, '/runtime.v1.RuntimeService/Version', timeoutMs), 3);
}
