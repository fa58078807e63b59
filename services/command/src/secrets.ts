const CENSORED = '[redacted]';

const SECRET_NAME = /authorization|cookie|token|secret|passw|credential|signature|api-?_?key|private-?_?key/i;
const USER_INFO = /(\/\/)[^/?#@\s"]*@/g;
const AUTH_SCHEME = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/-]+=*/gi;
const SECRET_PARAMETER = /token|secret|passw|credential|signature|sig|key/i;
/** What a parameter, and more of a query behind it, may stand in. */
const STRETCH = /&?[^&\s"]+/g;
const PARAMETER_VALUE = /[^#\\]+/y;

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
    .replace(STRETCH, withoutSecretParameters)
    .replace(AUTH_SCHEME, `$1 ${CENSORED}`);
}

/** Looks once at each character: strangers choose what is written, and one expression for all of it takes minutes for some texts. */
function withoutSecretParameters(stretch: string): string {
  let shown = '';
  let from = 0;
  for (let equals = stretch.indexOf('='); equals >= 0; equals = stretch.indexOf('=', from)) {
    const name = stretch.slice(from, equals);
    shown += `${name}=`;
    from = equals + 1;
    const start = name.search(/[?&]/);
    if (start < 0 || !SECRET_PARAMETER.test(name.slice(start))) continue;
    PARAMETER_VALUE.lastIndex = from;
    if (!PARAMETER_VALUE.test(stretch)) continue;
    shown += CENSORED;
    from = PARAMETER_VALUE.lastIndex;
  }
  return shown + stretch.slice(from);
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
