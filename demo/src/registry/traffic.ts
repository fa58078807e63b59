/** One answered request. */
export interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  /** The Range header as it was sent. */
  readonly range: string | undefined;
  readonly status: number;
  /** The bytes of the body that went out, also when the client left early. */
  readonly bytes: number;
}

/** What has been fetched of one blob. */
export interface BlobTraffic {
  /** GET requests that were answered 200 or 206. */
  readonly gets: number;
  /** The bytes that these answers sent. */
  readonly bytes: number;
}

const NOTHING: BlobTraffic = { gets: 0, bytes: 0 };

/** Counts what leaves the registry, while it leaves: a client that has a byte finds it counted. */
export class RegistryTraffic {
  private readonly blobs = new Map<string, BlobTraffic>();
  private sent = 0;

  /** The bytes of all bodies: blobs, manifests and error messages. */
  get bytes(): number {
    return this.sent;
  }

  /** What has been fetched of the blob `digest`. */
  blob(digest: string): BlobTraffic {
    return this.blobs.get(digest) ?? NOTHING;
  }

  /** A GET of the blob `digest` is about to be answered. */
  countGet(digest: string): void {
    const { gets, bytes } = this.blob(digest);
    this.blobs.set(digest, { gets: gets + 1, bytes });
  }

  /**
   * Counts bytes of a body.
   *
   * @param bytes how many go out; negative for those that were counted and then could not go out
   * @param digest the blob they belong to, if any
   */
  countBytes(bytes: number, digest: string | undefined): void {
    this.sent += bytes;
    if (digest === undefined) return;
    const blob = this.blob(digest);
    this.blobs.set(digest, { gets: blob.gets, bytes: blob.bytes + bytes });
  }
}
