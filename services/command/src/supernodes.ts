import type { Address } from './address';
import { readNodeConfig, supernodeAddress, type SupernodeAddress } from './node-file';
import { sourceOf } from './parse-command';
import { readNamedFile, readTextFile, type ReadFile } from './text-file';

/** The values of the flags that name supernodes, as `parseCommand` gives them for dfdaemon and dfget. */
export interface SupernodeValues {
  readonly node: readonly Address[];
  readonly nodeConfig: string;
}

/**
 * The supernodes of a df-daemon or dfget: those of `--node`, else those of the node file. The default file may be missing, one
 * named by `--node-config` may not.
 * @param values The result of `parseCommand`.
 * @param readFile Default: from the file system.
 * @returns In order of preference; none when nobody names any.
 * @throws UsageError when the file cannot be read or holds a wrong address.
 */
export function resolveSupernodes(
  values: SupernodeValues,
  readFile: ReadFile = readTextFile,
): readonly SupernodeAddress[] {
  if (values.node.length > 0) return Object.freeze(values.node.map(supernodeAddress));
  const where = sourceOf(values, 'nodeConfig') === 'default' ? undefined : '--node-config';
  const text = readNamedFile(values.nodeConfig, where, readFile);
  return text === undefined ? Object.freeze([]) : readNodeConfig(text, values.nodeConfig);
}
