import { join, resolve } from 'node:path';
import { parseCommand } from '@cdk8s-dragonfly/command';
import { NODE_MIRROR as SPEC } from '@cdk8s-dragonfly/contract';
import { NodeMirror, nodeMirrorSettings, refusals, reportLines, runtimesOf } from '@cdk8s-dragonfly/node-mirror';
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

/** How a command ended, and what it said. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Does what the command does, in this process: to start one takes longer than what most tests are about. */
export async function nodeMirrorHere(
  mode: 'apply' | 'plan' | 'check' | 'restore',
  flags: readonly string[],
): Promise<Outcome> {
  const values = parseCommand(SPEC, [mode, ...flags], { env: {} });
  const report = await new NodeMirror(runtimesOf(values), nodeMirrorSettings(values))[mode]();
  const lines = (said: readonly string[]): string => said.map((line) => `${line}\n`).join('');
  const reasons = refusals(report);
  return {
    code: reasons.length === 0 ? 0 : 1,
    stdout: lines(reportLines(report)),
    stderr: lines(reasons.map((reason) => `node-mirror: ${reason}`)),
  };
}
