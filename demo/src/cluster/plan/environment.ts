import { CommandError } from '@cdk8s-dragonfly/command';
import type { EnvVariable } from '../manifest/container';
import type { Workload } from '../manifest/workload';

/** The one address of this machine that the demo uses; macOS has no other on its loopback. */
export const LOOPBACK = '127.0.0.1';

/** A `$(NAME)` in a value or an argument; `$$(NAME)` stands for itself. */
const REFERENCE = /\$?\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g;

/**
 * The variables of a container, in order: each may use those before it by `$(NAME)`.
 *
 * @throws CommandError for a field of the pod that has no counterpart here
 */
export function readEnvironment(
  variables: readonly EnvVariable[],
  pod: { readonly workload: Workload; readonly node: string },
): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const variable of variables) {
    env[variable.name] = 'field' in variable ? fieldOf(variable, pod) : expand(variable.value, env);
  }
  return env;
}

/** Arguments with their `$(NAME)` replaced; unknown names stay as they are, as in Kubernetes. */
export function expandArguments(args: readonly string[], env: Readonly<Record<string, string>>): readonly string[] {
  return args.map((argument) => expand(argument, env));
}

function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(REFERENCE, (reference, name: string) =>
    reference.startsWith('$$') ? reference.slice(1) : (env[name] ?? reference),
  );
}

function fieldOf(
  variable: { readonly name: string; readonly field: string },
  { workload, node }: { readonly workload: Workload; readonly node: string },
): string {
  switch (variable.field) {
    case 'status.hostIP':
    case 'status.podIP':
      return LOOPBACK;
    case 'spec.nodeName':
    case 'metadata.name':
      return node;
    case 'metadata.namespace':
      return workload.namespace;
    default:
      throw new CommandError(
        `${workload.kind} ${workload.name} sets ${variable.name} from the field ${variable.field}, which a local process does not have`,
      );
  }
}
