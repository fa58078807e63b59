import { OriginError } from './origin-error';

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to its network',
  ETIMEDOUT: 'it does not answer',
  ECONNRESET: 'it closed the connection without an answer',
  EPIPE: 'it closed the connection without an answer',
  EAI_AGAIN: 'its name cannot be resolved at the moment',
  ENOTFOUND: 'its name does not exist',
};

/** Failures that are the same a little later. */
const LASTING: ReadonlySet<string> = new Set(['ENOTFOUND', 'EACCES', 'EPERM']);

const TLS = /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;
/** Of an authority that nobody here knows: OpenSSL has many names for that. */
const UNTRUSTED = /^(?:SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_UNTRUSTED)/;
const HAS_NO_TLS = /^(?:EPROTO|ERR_SSL_)/;
const UNSENDABLE =
  /^ERR_(?:INVALID_CHAR|INVALID_HTTP_TOKEN|HTTP_INVALID_HEADER_VALUE|UNESCAPED_CHARACTERS|INVALID_ARG_)/;

/** The `code` of an error of Node; empty when it has none. */
export function codeOf(error: unknown): string {
  const has = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string';
  return has ? String(error.code) : '';
}

/** Whether a code is one by which Node refuses the other side's TLS: its certificate, its name or its protocol. */
export function isTlsCode(code: string): boolean {
  return TLS.test(code);
}

/** What is wrong with the other side's TLS, and what to do where that is here. */
function tlsReason(code: string): string {
  if (UNTRUSTED.test(code))
    return 'its certificate is of no authority that is trusted here: name that with --origin-ca';
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is that of another host';
  if (HAS_NO_TLS.test(code)) return 'it does not speak TLS there, or another version of it';
  return 'its TLS certificate or protocol is not accepted';
}

/**
 * What a failure of the transport means, before the head of an answer (`head`) or within its body (`body`). An {@link OriginError} is
 * given back as it is.
 */
export function failureOf(error: unknown, origin: string, phase: 'head' | 'body'): OriginError {
  if (error instanceof OriginError) {
    return error;
  }
  const code = codeOf(error);
  if (code.startsWith('HPE_')) {
    const text = `Origin ${origin} sent something that is no HTTP/1.1 (${code}).`;
    return new OriginError('protocol', text, { cause: error, retryable: phase === 'body' });
  }
  if (phase === 'body') {
    const text = `Origin ${origin} broke off in the middle of the body.`;
    return new OriginError('truncated', text, { cause: error, retryable: true });
  }
  if (UNSENDABLE.test(code)) {
    const text = `Origin ${origin} was not asked: the request has a character that HTTP does not allow.`;
    return new OriginError('protocol', text, { cause: error });
  }
  if (isTlsCode(code)) {
    const text = `Origin ${origin} cannot be reached: ${tlsReason(code)} (${code}).`;
    return new OriginError('unreachable', text, { cause: error });
  }
  const reason = UNREACHABLE[code] ?? `the connection failed${code === '' ? '' : ` (${code})`}`;
  const text = `Origin ${origin} cannot be reached: ${reason}.`;
  return new OriginError('unreachable', text, { cause: error, retryable: !LASTING.has(code) });
}
