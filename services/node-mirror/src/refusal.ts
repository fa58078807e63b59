import { CommandError } from '@cdk8s-dragonfly/command';

/**
 * A reason why node-mirror leaves the node as it is (or has put it back as it was): exit code 1. The message says what was
 * found, where, and what to do.
 */
export class Refusal extends CommandError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, 1, options);
  }
}
