/** Codes of the OCI distribution specification ("Error Codes"), and `UNAVAILABLE`, which registries answer in practice. */
export type ErrorCode =
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_INVALID'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'UNAUTHORIZED'
  | 'UNAVAILABLE'
  | 'UNSUPPORTED';

/** The JSON text of an error as the OCI distribution specification writes it ("Error Codes"). */
export function errorBody(code: ErrorCode, message: string): string {
  return `${JSON.stringify({ errors: [{ code, message }] })}\n`;
}
