export type { ArgumentSpec, CommandSpec, FlagSpec, FlagType, ListSpec, ValueSpec, IgnoredKey } from './flag';
export { PORTS } from './ports';
export { PATHS } from './paths';
export { SUPERNODE } from './commands/supernode';
export { DFDAEMON } from './commands/dfdaemon';
export { DFGET } from './commands/dfget';
export { DFGET_DOCTOR } from './commands/dfget-doctor';
export { DFGET_PREHEAT } from './commands/dfget-preheat';
export { NODE_MIRROR } from './commands/node-mirror';
