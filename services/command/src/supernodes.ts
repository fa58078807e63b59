import { DFGET } from '@cdk8s-dragonfly/contract';
import type { Address } from './address';
import { readConfig } from './config-file';
import { flagValue } from './flag-value';
import type { FlagValue } from './command-values';
import type { IdleSetting } from './idle-settings';
import { namedNodes, readNodeConfig, supernodeAddress, type SupernodeAddress } from './node-file';
import { sourceOf } from './parse-command';
import { readNamedFile, readTextFile, type ReadFile } from './text-file';
import { idleWeights } from './weights';

/** The values of the flags that name supernodes, as `parseCommand` gives them for dfdaemon and dfget. */
export interface SupernodeValues {
  readonly node: readonly Address[];
  readonly nodeConfig: string;
}

/** Where else supernodes may be named. */
export interface SupernodeFiles {
  /** The YAML file of dfget, whose `nodes` count when nothing else names any; it may be missing. Default: it is not read. */
  readonly dfgetConfig?: string;
  /** Default: from the file system. */
  readonly readFile?: ReadFile;
  /** Is told what stands in these files and does nothing. Default: nobody is. */
  readonly tell?: (setting: IdleSetting) => void;
}

/**
 * The supernodes of a df-daemon or dfget: those of `--node`, else those of the node file, else those of dfget's file. The default
 * node file may be missing; one named by `--node-config` may not, and is the last word.
 * @param values The result of `parseCommand`.
 * @returns In order of preference; none when nobody names any.
 * @throws UsageError when a file cannot be read or holds a wrong address.
 */
export function resolveSupernodes(
  values: SupernodeValues,
  { dfgetConfig, readFile = readTextFile, tell = () => undefined }: SupernodeFiles = {},
): readonly SupernodeAddress[] {
  if (values.node.length > 0) return Object.freeze(values.node.map(supernodeAddress));
  const where = sourceOf(values, 'nodeConfig') === 'default' ? undefined : '--node-config';
  const text = readNamedFile(values.nodeConfig, where, readFile);
  const nodes = text === undefined ? Object.freeze([]) : readNodeConfig(text, values.nodeConfig);
  if (text !== undefined) {
    const at = `the key address in [node] of ${values.nodeConfig}`;
    idleWeights(namedNodes(text, values.nodeConfig), at).forEach(tell);
  }
  return nodes.length > 0 || where !== undefined || dfgetConfig === undefined
    ? nodes
    : nodesOfDfget(dfgetConfig, readFile, tell);
}

function nodesOfDfget(
  file: string,
  readFile: ReadFile,
  tell: (setting: IdleSetting) => void,
): readonly SupernodeAddress[] {
  const text = readNamedFile(file, undefined, readFile) ?? '';
  const flag = DFGET.flags.node;
  const { settings } = readConfig(text, { known: [flag.key], anyOther: true }, file);
  const texts = settings.get(flag.key) ?? [];
  const where = `the key ${flag.key} in ${file}`;
  const nodes = flagValue(flag, texts, where);
  idleWeights(texts, where).forEach(tell);
  // The type is that of the flag in the contract.
  return Object.freeze((nodes as FlagValue<typeof flag>).map(supernodeAddress));
}
