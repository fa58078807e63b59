import { createHash } from 'node:crypto';

const KEY = `>I$pg-~AS~sP'rqu_\`Oh&lz#9]"=;nE%`;

/** What a classic task id is made of. */
export interface TaskIdentity {
  /** The URL after the filter ({@link filterUrl}). */
  readonly taskUrl: string;
  /** The MD5 that the user expects, as given. Empty means none. Default: none. */
  readonly md5?: string | undefined;
  /** Separates tasks of one URL; ignored beside an MD5. Empty means none. Default: none. */
  readonly identifier?: string | undefined;
}

/**
 * The name of a task in the original protocol: 64 lowercase hexadecimal digits. Headers and the unfiltered URL are no part of it
 * (Dragonfly 0.x protocol, 2.2).
 */
export function taskIdOf({ taskUrl, md5, identifier }: TaskIdentity): string {
  const sign = [md5, identifier].find((part) => part !== undefined && part !== '') ?? '';
  return createHash('sha256')
    .update(KEY + taskUrl + sign + KEY)
    .digest('hex');
}

/** The two ways in which original clients treat a query of which nothing is left. */
export type FilterStyle =
  /** dfget 0.3.0 and later: the `?` goes too. */
  | 'go'
  /** dfget 0.2.0: the `?` stays, which makes another task id. */
  | 'python';

/**
 * The URL without the query parameters that `filter` names. Order and escapes stay as they are (Dragonfly 0.x protocol, 2.2, T23).
 *
 * @param filter parameter names joined by `&`; empty: the URL stays as it is
 */
export function filterUrl(url: string, filter: string, style: FilterStyle = 'go'): string {
  const mark = url.indexOf('?');
  if (filter === '' || mark < 0 || mark === url.length - 1) return url;
  const names = new Set(filter.split('&'));
  const kept = url
    .slice(mark + 1)
    .split('&')
    .filter((part) => !names.has(part.split('=', 1)[0] ?? ''));
  const base = url.slice(0, mark);
  return kept.length === 0 ? base + (style === 'python' ? '?' : '') : `${base}?${kept.join('&')}`;
}
