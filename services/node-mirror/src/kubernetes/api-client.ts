import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../files/errno';
import { askJson, type JsonAnswer } from '../http-json';
import { Refusal } from '../refusal';

/** Where the Kubernetes API is, and who asks. */
export interface ApiPlace {
  /** Such as `10.96.0.1`, from the environment variable KUBERNETES_SERVICE_HOST. */
  readonly host: string;
  readonly port: string;
  /** The folder with `token` and `ca.crt`, both read anew for each request: they are rotated. */
  readonly serviceAccount: string;
}

const TIMEOUT_MS = 10_000;
/** A node of a large cluster has some hundred kilobytes. */
const MAX_ANSWER = 8 * 1024 * 1024;

/** The few requests that node-mirror makes to the Kubernetes API, with the pod's own service account. */
export class ApiClient {
  constructor(private readonly place: ApiPlace) {}

  /** @throws Refusal when nobody answers, or the service account cannot be read */
  async ask(method: 'GET' | 'PATCH', path: string, patch?: unknown): Promise<JsonAnswer> {
    const { host, port, serviceAccount } = this.place;
    try {
      const [token, ca] = await Promise.all([
        readFile(join(serviceAccount, 'token'), 'utf8'),
        readFile(join(serviceAccount, 'ca.crt')),
      ]);
      const headers = {
        Authorization: `Bearer ${token.trim()}`,
        Accept: 'application/json',
        ...(patch === undefined ? {} : { 'Content-Type': 'application/merge-patch+json' }),
      };
      const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER };
      const body = patch === undefined ? undefined : JSON.stringify(patch);
      return await askJson({ host, port, path, method, headers, ca }, limits, body);
    } catch (error) {
      throw new Refusal(`the Kubernetes API at ${host}:${port} cannot be asked: ${reasonOf(error)}`, { cause: error });
    }
  }
}

/** Where the API is, as Kubernetes tells each of its containers. @throws Refusal outside of one */
export function apiPlace(env: Readonly<Record<string, string | undefined>>, serviceAccount: string): ApiPlace {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  if (host === '') {
    throw new Refusal(
      'the environment variable KUBERNETES_SERVICE_HOST is not set: --remove-taint works in a pod of Kubernetes only',
    );
  }
  return { host, port: env['KUBERNETES_SERVICE_PORT'] ?? '443', serviceAccount };
}
