/** What an OCI manifest says of a blob (OCI image specification 1.1, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** Length in bytes. */
  readonly size: number;
}

/** A blob held in memory. */
export interface MemoryBlob extends Descriptor {
  readonly content: { readonly bytes: Buffer };
}

/** A blob that the embedded registry has: in a file, or in memory when it is small. */
export interface StoredBlob extends Descriptor {
  readonly content: { readonly file: string } | { readonly bytes: Buffer };
}

/** Media types of the OCI image specification 1.1. */
export const MEDIA_TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;
