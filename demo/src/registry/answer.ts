import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { ByteRange } from './byte-range';
import { parseByteRange } from './byte-range';
import type { MemoryBlob, StoredBlob } from './descriptor';
import type { RegistryTraffic } from './traffic';

const CHUNK = 256 * 1024;

/** Codes of the OCI distribution specification 1.1, "Error Codes". */
export type ErrorCode = 'BLOB_UNKNOWN' | 'MANIFEST_UNKNOWN' | 'NAME_UNKNOWN' | 'UNSUPPORTED' | 'SIZE_INVALID';

/** An answer to one request. Its methods resolve when the last byte is out, and reject when the client leaves before. */
export class Answer {
  /** The bytes of the body that were handed to the connection. */
  private passed = 0;

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly traffic: RegistryTraffic,
  ) {
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  }

  /** The bytes of the body that went out so far. */
  get bytes(): number {
    return this.passed;
  }

  async json(status: number, document: object): Promise<void> {
    const body = Buffer.from(JSON.stringify(document));
    this.response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    await this.end(body, undefined);
  }

  async error(status: number, code: ErrorCode, message: string): Promise<void> {
    await this.json(status, { errors: [{ code, message }] });
  }

  /** Sends a manifest, whole whatever Range says. */
  async manifest(manifest: MemoryBlob): Promise<void> {
    this.head(manifest, undefined);
    await this.end(manifest.content.bytes, undefined);
  }

  /** Sends a blob, whole or the range that was asked for. */
  async blob(blob: StoredBlob): Promise<void> {
    const range = parseByteRange(this.request.headers.range, blob.size);
    if (range === 'unsatisfiable') {
      this.response.setHeader('Content-Range', `bytes */${blob.size}`);
      await this.error(416, 'SIZE_INVALID', `The blob has ${blob.size} bytes.`);
      return;
    }
    this.head(blob, range);
    if (this.request.method === 'GET') this.traffic.countGet(blob.digest);
    const { from, end } = range ?? { from: 0, end: blob.size };
    if ('bytes' in blob.content) await this.end(blob.content.bytes.subarray(from, end), blob.digest);
    else if (this.request.method === 'HEAD') await this.end(Buffer.alloc(0), undefined);
    else await this.stream(blob.content.file, { from, end }, blob.digest);
  }

  private head(blob: StoredBlob, range: ByteRange | undefined): void {
    if (range) this.response.setHeader('Content-Range', `bytes ${range.from}-${range.end - 1}/${blob.size}`);
    this.response.writeHead(range ? 206 : 200, {
      'Accept-Ranges': 'bytes',
      'Content-Length': range ? range.end - range.from : blob.size,
      'Content-Type': blob.mediaType,
      'Docker-Content-Digest': blob.digest,
      ETag: `"${blob.digest}"`,
    });
  }

  private async stream(file: string, { from, end }: ByteRange, digest: string): Promise<void> {
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.count(chunk.length, digest);
        done(null, chunk);
      },
    });
    try {
      await pipeline(
        createReadStream(file, { start: from, end: end - 1, highWaterMark: CHUNK }),
        counted,
        this.response,
      );
    } catch (error) {
      // What was counted and still lies between file and socket never left.
      this.count(-Math.min(this.passed, counted.readableLength + this.response.writableLength), digest);
      throw error;
    }
  }

  private async end(body: Buffer, digest: string | undefined): Promise<void> {
    if (this.request.method === 'HEAD') this.response.end();
    else {
      this.count(body.length, digest);
      this.response.end(body);
    }
    await finished(this.response);
  }

  private count(bytes: number, digest: string | undefined): void {
    this.passed += bytes;
    this.traffic.countBytes(bytes, digest);
  }
}
