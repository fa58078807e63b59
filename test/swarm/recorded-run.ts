import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { rawLengthOf } from '@cdk8s-dragonfly/protocol';

const FOLDER = join(__dirname, '..', 'fixtures', 'recordings');

/** A piece as a recorded 601 answer names it. */
export interface RecordedItem {
  readonly range: string;
  readonly pieceNum: number;
  readonly pieceSize: number;
  readonly pieceMd5: string;
  readonly cid: string;
  readonly peerIp: string;
  readonly peerPort: number;
  readonly path: string;
  readonly downLink: number;
}

/** What a supernode once answered. */
export interface RecordedAnswer {
  readonly status: number;
  readonly json: { readonly code?: number; readonly data?: unknown } | undefined;
  readonly text: string;
}

/** What one original client once went through: the answers it got, in order. */
export interface RecordedRun {
  readonly name: string;
  /** The raw length of the file. */
  readonly length: number;
  readonly registrations: readonly RecordedAnswer[];
  readonly answers: readonly RecordedAnswer[];
  /** The statuses of the supernode's piece server, in order. */
  readonly statuses: readonly number[];
  /** The addresses of peers that gave pieces, and how they answered. */
  readonly peers: ReadonlyMap<string, number>;
  /** What the origin answered to the one who asked last. */
  readonly originStatus: number;
}

interface Exchange {
  readonly t: number;
  readonly from: string;
  readonly to: string;
  readonly role: string;
  readonly request?: {
    readonly path: string;
    readonly query: string;
    readonly body?: { json?: { cid?: string; rawUrl?: string }; text?: string } | null;
  };
  readonly response?: {
    readonly status: number;
    readonly body?: { json?: unknown; text?: string; length?: number } | null;
  } | null;
}

/** The recordings in which clients speak to supernodes. */
export function recordings(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json') && runsOf(name).length > 0)
    .sort();
}

/** What is known of a run while its recording is read. */
interface Gathered {
  readonly from: string;
  readonly url: string;
  taskId: string;
  readonly registrations: Exchange[];
  readonly answers: Exchange[];
  readonly downloads: Exchange[];
  readonly gifts: Exchange[];
  readonly origins: Exchange[];
}

/** The runs of a recording, in order; several may have gone on at once. Each client has registered under a name of its own. */
export function runsOf(file: string): RecordedRun[] {
  // The hand-made requests of the probes are no client.
  if (file.startsWith('06')) return [];
  const { exchanges } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as { exchanges: readonly Exchange[] };
  const runs = new Map<string, Gathered>();
  for (const exchange of exchanges) gather(exchange, runs);
  return [...runs.values()].map((run, index) => runOf(`${index + 1}`, run));
}

function gather(exchange: Exchange, runs: Map<string, Gathered>): void {
  const { request, response, role, from } = exchange;
  if (request === undefined) return;
  const { path, query } = request;
  const latest = (fits: (run: Gathered) => boolean): Gathered | undefined => [...runs.values()].filter(fits).at(-1);
  if (role === 'supernode-api' && path.endsWith('/peer/registry')) {
    const { cid, rawUrl: url } = fieldsOf(request);
    if (cid === undefined || url === undefined) return;
    const begun = { from, url, taskId: '', registrations: [], answers: [], downloads: [], gifts: [], origins: [] };
    const run: Gathered = runs.get(cid) ?? begun;
    runs.set(cid, run);
    run.registrations.push(exchange);
    const data = (response?.body?.json as { data?: { taskId?: string } } | undefined)?.data;
    run.taskId = data?.taskId ?? run.taskId;
  } else if (role === 'supernode-api' && path.endsWith('/peer/task')) {
    runs.get(new URLSearchParams(query).get('srcCid') ?? '')?.answers.push(exchange);
  } else if (role === 'supernode-download') {
    latest((run) => run.from === from && path.endsWith(run.taskId))?.downloads.push(exchange);
  } else if (path.startsWith('/peer/file/')) latest((run) => run.from === from)?.gifts.push(exchange);
  else if (role === 'origin' || role === 'registry') {
    latest((run) => new URL(run.url).pathname === path)?.origins.push(exchange);
  }
}

function fieldsOf({ body }: NonNullable<Exchange['request']>): { readonly cid?: string; readonly rawUrl?: string } {
  const form = new URLSearchParams(body?.text ?? '');
  return body?.json ?? Object.fromEntries(form);
}

function runOf(name: string, run: Gathered): RecordedRun {
  const registrations = run.registrations.map(answerOf);
  const answers = run.answers.map(answerOf);
  return {
    name,
    length: lengthOf(registrations, answers, run.origins),
    registrations,
    answers,
    statuses: run.downloads.map(({ response }) => response?.status ?? 0),
    peers: new Map(run.gifts.map(({ to, response }) => [to, response?.status ?? 0])),
    originStatus: run.origins.at(-1)?.response?.status ?? 200,
  };
}

function answerOf({ response }: Exchange): RecordedAnswer {
  const { json, text = '' } = response?.body ?? {};
  return {
    status: response?.status ?? 0,
    json: json as RecordedAnswer['json'],
    text: json === undefined ? text : JSON.stringify(json),
  };
}

function lengthOf(
  registrations: readonly RecordedAnswer[],
  answers: readonly RecordedAnswer[],
  origins: readonly Exchange[],
): number {
  const told = registrations.map(({ json }) => (json?.data as { fileLength?: number } | undefined)?.fileLength ?? -1);
  const known = told.find((length) => length >= 0);
  if (known !== undefined) return known;
  const finish = answers.find(({ json }) => json?.code === 600)?.json?.data as { fileLength?: number } | undefined;
  const raw = rawLengthOf(finish?.fileLength ?? 0, 4 * 1024 * 1024);
  return raw ?? origins.find(({ response }) => response?.status === 200)?.response?.body?.length ?? 10_000;
}
