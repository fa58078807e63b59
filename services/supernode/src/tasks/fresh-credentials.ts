import { OriginError } from '@cdk8s-dragonfly/origin';

import type { TaskSource } from './task';

/** How long a daemon may take to come with other credentials, in milliseconds. */
const PATIENCE = 5000;

/** Whether an origin refused the credentials: a token has expired, or never was good enough. */
export function isRefusal(error: unknown): boolean {
  return error instanceof OriginError && (error.status === 401 || error.status === 403);
}

/** Whether two sources would ask the origin with the same credentials. */
function sameCredentials(one: TaskSource, other: TaskSource): boolean {
  const of = ({ headers }: TaskSource): string =>
    JSON.stringify(headers.filter(([name]) => name.toLowerCase() === 'authorization').map(([, value]) => value));
  return of(one) === of(other);
}

/** Waits for a client that comes with other credentials than those that were refused. */
export class CredentialsWait {
  private resolve: (source: TaskSource | undefined) => void = () => undefined;
  private readonly timer: NodeJS.Timeout;
  readonly outcome: Promise<TaskSource | undefined>;

  /** @param signal gives up at once. */
  constructor(
    private readonly refused: TaskSource,
    signal: AbortSignal,
  ) {
    this.outcome = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = setTimeout(() => this.end(undefined), PATIENCE);
    signal.addEventListener('abort', () => this.end(undefined), { once: true });
  }

  /** A client has come. */
  offer(source: TaskSource): void {
    if (!sameCredentials(source, this.refused)) this.end(source);
  }

  private end(source: TaskSource | undefined): void {
    clearTimeout(this.timer);
    this.resolve(source);
  }
}
