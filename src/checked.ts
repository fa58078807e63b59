import type { IConstruct } from 'constructs';

/**
 * What a function makes of the props of a construct.
 *
 * @throws Error with the path of the construct before the sentence of the function's own error.
 */
export function checkedBy<T>(scope: IConstruct, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${scope.node.path}: ${message}`, { cause: error });
  }
}
