import { join, resolve } from 'node:path';
import type { Host } from '../world/host';

/** The launcher of node-mirror, as npm has linked it. */
export const NODE_MIRROR = join(resolve(__dirname, '../..'), 'node_modules/.bin/node-mirror');

/** A runtime under test, and what node-mirror has to be told to find it and nothing else. */
export interface Subject {
  readonly host: Host;
  readonly flags: readonly string[];
}

/** Runs a mode to its end. @returns what it printed @throws Error with what it said when it fails */
export async function nodeMirror({ host, flags }: Subject, mode: string, ...more: readonly string[]): Promise<string> {
  return await host.run([NODE_MIRROR, mode, '--readyz', 'none', '--wait', '5s', ...flags, ...more]);
}
