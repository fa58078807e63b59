/**
 * A signal that aborts after `ms`, as `AbortSignal.timeout` does, with a `TimeoutError`. To be used wherever it is one of several in
 * `AbortSignal.any`: Node 20 keeps such a combination weakly tied to its parts, so a bare `AbortSignal.timeout` in it may be collected as
 * garbage, and then never aborts. A listener of its own keeps it.
 */
export function timeoutSignal(ms: number): AbortSignal {
  const signal = AbortSignal.timeout(ms);
  signal.addEventListener('abort', () => undefined, { once: true });
  return signal;
}
