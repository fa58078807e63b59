import type { RuntimePaths } from '../runtime-paths';
import { checkHostPath } from './checks';

/**
 * Paths on a node, checked.
 *
 * @throws Error naming the prop, the value and the rule.
 */
export function runtimePathsSpec(prop: string, paths: RuntimePaths = {}): RuntimePaths {
  return Object.fromEntries(
    Object.entries(paths as Readonly<Record<string, string | undefined>>).flatMap(([name, path]) =>
      path === undefined ? [] : [[name, checkHostPath(`${prop}.${name}`, path)]],
    ),
  );
}
