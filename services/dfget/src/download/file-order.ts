import { UsageError, resolveSupernodes } from '@cdk8s-dragonfly/command';
import type { CommandValues, IdleSetting, SupernodeAddress } from '@cdk8s-dragonfly/command';
import type { DFGET } from '@cdk8s-dragonfly/contract';
import type { BlobRequest } from '@cdk8s-dragonfly/engine';
import { digestInUrl, filterUrl, hexOf, taskIdOf } from '@cdk8s-dragonfly/protocol';

import { headerLines } from '../header-option';

/** What the command line of `dfget` says. */
export type DfgetValues = CommandValues<typeof DFGET>;

/** A download that was ordered. */
export interface FileOrder {
  readonly request: BlobRequest;
  /** In lower case; undefined: nobody asks. */
  readonly md5: string | undefined;
  readonly supernodes: readonly SupernodeAddress[];
  /** Whether somebody can tell what the whole must be: else only the origin can tell whether an earlier run's part can be gone on with. */
  readonly isVouched: boolean;
}

/**
 * The download that a command line means. A URL that names a digest means that content; any other is known to the swarm by its classic
 * task id, so that all who ask for the same share it (Dragonfly 0.x protocol, 2.2).
 *
 * @param tell is told what does nothing of what files name.
 * @throws UsageError
 */
export function fileOrder(values: DfgetValues, tell: (idle: IdleSetting) => void): FileOrder {
  const { dfdaemon, filter = '', header, identifier, md5, pattern, url } = values;
  if (url.username !== '' || url.password !== '') {
    throw new UsageError("--url must not hold a user and password; send them with --header 'Authorization: Basic …'");
  }
  url.hash = '';
  const named = digestInUrl(url);
  const sha256 = hexFlag('--sha256', values.sha256?.replace(/^sha256:/, ''), 64);
  if (named !== undefined && sha256 !== undefined && sha256 !== hexOf(named)) {
    throw new UsageError(`--sha256 is not the digest that the URL names, ${named}; leave it out`);
  }
  const supernodes = pattern === 'source' ? [] : resolveSupernodes(values, { tell });
  const task = { taskUrl: filterUrl(url.href, filter), md5, identifier: md5 === undefined ? identifier : undefined };
  return {
    request: {
      blob: named ?? `task:${taskIdOf(task)}`,
      url,
      headers: headerLines(header, dfdaemon),
      task,
      sha256,
    },
    md5: hexFlag('--md5', md5, 32),
    supernodes,
    isVouched: (named ?? sha256 ?? md5) !== undefined || supernodes.length > 0,
  };
}

function hexFlag(flag: string, text: string | undefined, digits: number): string | undefined {
  if (text === undefined) return undefined;
  if (text.length === digits && /^[0-9a-f]+$/i.test(text)) return text.toLowerCase();
  throw new UsageError(`${flag} must be ${digits} hexadecimal digits, not ${JSON.stringify(text.slice(0, 80))}`);
}
