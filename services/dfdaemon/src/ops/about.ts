import { isSecretName, withoutSecrets } from '@cdk8s-dragonfly/command';
import type { Environment } from '@cdk8s-dragonfly/command';

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
}

const TEXT = 'text/plain; charset=utf-8';

/**
 * `/args`, `/env` and `/debug/version` as Dragonfly 0.x has them (protocol, 7.5): the command line, each word with a space behind it; the
 * environment as JSON; the version. What names or holds a secret is censored.
 */
export function aboutDaemon({ argv, env, version }: Telling): (path: string) => About | undefined {
  return (path) => {
    if (path === '/args') return { type: TEXT, text: argv.map((word) => `${withoutSecrets(word)} `).join('') };
    if (path === '/debug/version') return { type: TEXT, text: version };
    if (path !== '/env') return undefined;
    const shown = Object.entries(env).map(([name, value = '']) => [
      name,
      isSecretName(name) ? '[redacted]' : withoutSecrets(value),
    ]);
    return { type: 'application/json', text: `${JSON.stringify(Object.fromEntries(shown), undefined, 2)}\n` };
  };
}
