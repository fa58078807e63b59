import { join } from 'node:path';

/** The root of this repository: the sources of the demo and their compilation lie equally deep in it. */
export const REPOSITORY = join(__dirname, '..', '..');

/** The launcher of a command, such as `dfdaemon`. */
export function scriptOf(command: string): string {
  return join(REPOSITORY, 'services', command, 'bin', `${command}.js`);
}
