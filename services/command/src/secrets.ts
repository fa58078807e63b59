const CENSORED = '[redacted]';

const SECRET_NAME = /authorization|cookie|token|secret|passw|credential|signature|api-?_?key|private-?_?key/i;
const USER_INFO = /(\/\/)[^/?#@\s"]*@/g;
const AUTH_SCHEME = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/-]+=*/gi;
const SECRET_PARAMETER = /([?&][^=&\s"]*(?:token|secret|passw|credential|signature|sig|key)[^=&\s"]*=)[^&#\s"\\]+/gi;

/** Whether a field or header of this name holds something that no log may show. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * `text` without what must not be shown: user and password of URLs, signatures and tokens in queries,
 * Bearer and Basic credentials (RFC 6750, RFC 7617).
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(USER_INFO, `$1${CENSORED}@`)
    .replace(SECRET_PARAMETER, `$1${CENSORED}`)
    .replace(AUTH_SCHEME, `$1 ${CENSORED}`);
}

/** A copy of a JSON value whose secret fields, at any depth, are censored, and whose texts show no secrets. */
export function withoutSecretFields(value: unknown): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (Array.isArray(value)) return value.map(withoutSecretFields);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, isSecretName(name) ? CENSORED : withoutSecretFields(field)]),
  );
}
