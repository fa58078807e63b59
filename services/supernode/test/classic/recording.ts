import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '..', '..', '..', '..', 'test', 'fixtures', 'recordings');

/** A request that an original client once sent to a supernode. */
export interface RecordedRequest {
  /** Where it stands in its recording, in seconds. */
  readonly t: number;
  readonly method: string;
  /** Without the prefix of a version. */
  readonly path: string;
  readonly query: string;
  /** As it was sent. */
  readonly body: string;
  /** The task id that the recorded supernode gave in its answer. */
  readonly givenTaskId: string | undefined;
}

interface Exchange {
  readonly t: number;
  readonly role: string;
  readonly request?: {
    readonly method: string;
    readonly path: string;
    readonly query: string;
    readonly body?: { readonly json?: unknown; readonly text?: string } | null;
  };
  readonly response?: {
    readonly body?: { readonly json?: { readonly data?: { readonly taskId?: string } | null } | null } | null;
  } | null;
}

/** The recordings with requests to supernodes, by their file names. */
export function recordings(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json') && requestsOf(name).length > 0)
    .sort();
}

/** The requests of a recording that section 9 of the specification decides, in order. */
export function requestsOf(name: string): RecordedRequest[] {
  const { exchanges } = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as { exchanges: readonly Exchange[] };
  return exchanges.flatMap(({ t, role, request, response }) => {
    const path = request?.path.replace(/^\/v[0-9.]+(?=\/)/, '') ?? '';
    if (role !== 'supernode-api' || request === undefined || !path.startsWith('/peer/')) return [];
    const { json, text = '' } = request.body ?? {};
    const body = json === undefined ? text : JSON.stringify(json);
    const { method, query } = request;
    return [{ t, method, path, query, body, givenTaskId: response?.body?.json?.data?.taskId }];
  });
}
