import { UsageError } from '@cdk8s-dragonfly/command';

/**
 * The form in which two spellings of one mirror are equal: `http://h:1` and `http://h:1/`, `HTTP://H:1`. Text that is no
 * URL is compared as it is.
 */
export function normalisedMirror(mirror: string): string {
  return (URL.canParse(mirror) ? new URL(mirror).href : mirror).replace(/\/+$/, '');
}

/** Whether two spellings name the same mirror. */
export function sameMirror(a: string, b: string): boolean {
  return normalisedMirror(a) === normalisedMirror(b);
}

/** The list without repetitions, in the normalised form: what a runtime makes of it. */
export function normalisedMirrors(mirrors: readonly string[]): readonly string[] {
  return [...new Set(mirrors.map(normalisedMirror))];
}

/**
 * A mirror as runtimes accept it: http or https, without user, query and fragment. Returned without trailing slash.
 *
 * @throws UsageError for any other: runtimes do not start with it.
 */
export function mirrorUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`--mirror '${given}' is not an absolute http or https URL, such as http://127.0.0.1:65001`);
  }
  if (url.username !== '' || url.password !== '' || /[?#]/.test(given)) {
    throw new UsageError(
      `--mirror '${url.protocol}//${url.host}…' carries a user, a query or a fragment, and dockerd does not start with such a mirror: give scheme, host and port only`,
    );
  }
  return given.replace(/\/+$/, '');
}
