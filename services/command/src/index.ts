export { formatAddress, readAddress, type Address } from './address';
export type { CommandHost, StopSignal } from './command-host';
export type { CommandContext } from './command-run';
export type { CommandValues, FlagValue, FlagValues, ListEntry } from './command-values';
export { byFirstWord, type FirstWords } from './first-word';
export { fetchReason } from './fetch-reason';
export { formatDuration, parseDuration } from './duration';
export { CommandError, UsageError } from './errors';
export { helpText } from './help';
export { warnOfIdle, type IdleSetting } from './idle-settings';
export { launcher, type Launch } from './launcher';
export { Lifecycle, StopError, type Closeable } from './lifecycle';
export { LISTEN_BACKLOG, listen, listenAt, listenError, type BoundAddress, type ListenOptions } from './listen';
export { createLog, type Log, type LogLevel, type TextOutput } from './log';
export { readNodeConfig, type SupernodeAddress } from './node-file';
export {
  idleSettings,
  parseCommand,
  sourceOf,
  type CommandInputs,
  type Environment,
  type ValueSource,
} from './parse-command';
export { runCommand, type CommandMain, type RunOptions } from './run-command';
export { isSecretName, withoutSecrets } from './secrets';
export { formatBytes } from './size';
export { resolveSupernodes, type SupernodeValues } from './supernodes';
export { takesConnections } from './takes-connections';
export type { ReadFile } from './text-file';
export { timeoutSignal } from './timeout-signal';
export { commandVersion } from './version';
export { HANG_LIMIT, Watchdog } from './watchdog';
export type { PulseOptions } from './watchdog';
