import { isSecretName, withoutSecrets } from '@cdk8s-dragonfly/command';
import type { Environment } from '@cdk8s-dragonfly/command';
import { BLOBS_PATH, REACH_PATH } from '@cdk8s-dragonfly/protocol';
import type { DaemonBlobs, DaemonReach } from '@cdk8s-dragonfly/protocol';

/** What the daemon tells of itself at one path. */
export interface About {
  readonly type: string;
  readonly text: string;
}

/** What {@link aboutDaemon} tells. */
export interface Telling {
  /** The command line, without the program. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly version: string;
  /** Finds out what the daemon reaches. */
  readonly reach: () => Promise<DaemonReach>;
  /** The blobs that clients were given last. */
  readonly blobs: () => DaemonBlobs;
}

const TEXT = 'text/plain; charset=utf-8';

/**
 * `/args`, `/env` and `/debug/version` as Dragonfly 0.x has them (protocol, 7.5): the command line, each word with a space behind it; the
 * environment as JSON; the version. What names or holds a secret is censored. `/debug/reach` and `/debug/blobs` are ours, for `dfget doctor`.
 */
export function aboutDaemon(telling: Telling): (path: string) => Promise<About | undefined> {
  const { argv, env, version, reach, blobs } = telling;
  const tellers: Readonly<Record<string, () => About | Promise<About>>> = {
    '/args': () => ({ type: TEXT, text: argv.map((word) => `${withoutSecrets(word)} `).join('') }),
    '/debug/version': () => ({ type: TEXT, text: version }),
    '/env': () => json(shown(env)),
    [REACH_PATH]: async () => json(await reach()),
    [BLOBS_PATH]: () => json(blobs()),
  };
  return async (path) => (Object.hasOwn(tellers, path) ? tellers[path]?.() : undefined);
}

function shown(env: Environment): Readonly<Record<string, string>> {
  const entries = Object.entries(env).map(([name, value = '']) => [
    name,
    isSecretName(name) ? '[redacted]' : withoutSecrets(value),
  ]);
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}

function json(value: unknown): About {
  return { type: 'application/json', text: `${JSON.stringify(value, undefined, 2)}\n` };
}
