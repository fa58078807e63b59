export { BlobUnavailable } from './blob-request';
export type { BlobProvider, BlobRequest, HeaderLine, OpenBlob, UnavailableReason } from './blob-request';
