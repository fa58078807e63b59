/** What the system's codes mean, for those that an operator meets. */
const MEANING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused: nothing listens there',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'the name is not known to DNS',
  EAI_AGAIN: 'DNS does not answer',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'the connection did not open in time',
  UND_ERR_CONNECT_TIMEOUT: 'the connection did not open in time',
};

/**
 * Why a `fetch` failed, for the end of a sentence: what it has to say is in the cause of its error, or in the errors of that.
 *
 * @param patience after how many milliseconds an `AbortSignal.timeout` ended it.
 */
export function fetchReason(error: unknown, patience: number): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return `nothing came for ${patience} ms`;
  const inner = (cause ?? {}) as Partial<NodeJS.ErrnoException> & { readonly errors?: readonly unknown[] };
  const { code = (inner.errors?.[0] as NodeJS.ErrnoException | undefined)?.code, message: text = '' } = inner;
  const meaning = MEANING[code ?? ''];
  if (meaning !== undefined) return `${meaning} (${code ?? ''})`;
  if (text === 'bad port') return 'no HTTP is spoken to that port, which belongs to another protocol (bad port)';
  return text === '' ? message : text;
}
