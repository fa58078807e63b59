import { isIP } from 'node:net';
import { z } from 'zod';
import { isBlobId, type BlobId } from '../digest';
import type { HeaderLine } from '../http/header-lines';
import { redactUrl } from '../http/redact';
import { formatHeaderFields, parseHeaderFields } from './header-fields';
import { accepted, refused, shown, type ClassicParse } from './parse';
import { parseFields } from './query';

/** Our own member of a registration: the client speaks the native protocol. Original supernodes ignore it. */
export interface NativeOffer {
  /** The versions of the native protocol that the client speaks. */
  readonly versions: readonly number[];
  /** The blob that it wants. */
  readonly blob: BlobId;
  /** Another replica sent it here: it is taken in, whoever owns the blob. Default false. */
  readonly redirected?: boolean | undefined;
  /**
   * Replicas, as `HOST:PORT`, that do not answer it: they own nothing as far as this client is concerned. Default: none.
   */
  readonly without?: readonly string[] | undefined;
  /** It was in the blob's swarm before, and may have blocks of it: others that were there will come too. Default false. */
  readonly resumes?: boolean | undefined;
  /** Told to come later, it comes then, however late that is, and no more often. Default false. */
  readonly waits?: boolean | undefined;
  /** Where the client stands, such as a zone of a cloud. Default: unknown. */
  readonly zone?: string | undefined;
}

/** `POST /peer/registry`: a client wants a file (Dragonfly 0.x protocol, 2.1). */
export interface RegistryRequest {
  /** The URL to fetch, as the user gave it. */
  readonly rawUrl: string;
  /** The URL after the filter: part of the task id. */
  readonly taskUrl: string;
  /** The client's name for this download. */
  readonly cid: string;
  /** The client's own address, IPv4 or IPv6. */
  readonly ip: string;
  /** The client's peer server; 0: it has none and never becomes a source. */
  readonly port: number;
  /** Where the client's peer server has the file. */
  readonly path: string;
  readonly hostName?: string | undefined;
  /** The supernode's address as the client wrote it. */
  readonly superNodeIp?: string | undefined;
  /** The client's version. */
  readonly version?: string | undefined;
  /** The MD5 of the whole file that the user expects, as given. */
  readonly md5?: string | undefined;
  readonly identifier?: string | undefined;
  readonly callSystem?: string | undefined;
  /** For the origin, in the client's spelling. */
  readonly headers: readonly HeaderLine[];
  /** Whether a df-daemon asks, which can pass a 401 on to its own client. */
  readonly dfdaemon: boolean;
  readonly native?: NativeOffer | undefined;
}

const TEXT = z.string();
const OPTIONAL = z.string().optional();
// Some of them stand in logs.
const LONGEST_NOTE = 4096;
const NOTE = z.string().max(LONGEST_NOTE).optional();
const NOTE_RULE = `text of at most ${LONGEST_NOTE} characters`;
// The path becomes part of a URL at other clients, the cid part of their queries: no control characters, no other host. Both are kept for each client,
// and stand in logs.
const LONGEST_CID = 500;
const LONGEST_PATH = 4000;
const CID = z
  .string()
  .max(LONGEST_CID)
  .regex(/^[^\p{Cc}]+$/u);
const PATH = z
  .string()
  .max(LONGEST_PATH)
  .regex(/^\/(?!\/)[^\p{Cc}]*$/u);
const URL_TEXT = z.string().refine((text) => /^https?:\/\/./i.test(text) && URL.canParse(text));
const PORT = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.int().min(0).max(65_535));
const FLAG = z.union([
  z.boolean(),
  z
    .string()
    .regex(/^(?:true|false)$/i)
    .transform((text) => /^true$/i.test(text)),
]);

const FIELDS = z.object({
  rawurl: URL_TEXT,
  taskurl: OPTIONAL,
  cid: CID,
  ip: TEXT.refine((text) => isIP(text) !== 0),
  port: PORT.default(0),
  path: PATH,
  hostname: NOTE,
  supernodeip: NOTE,
  version: NOTE,
  md5: NOTE,
  identifier: NOTE,
  callsystem: NOTE,
  headers: z.union([z.array(TEXT), TEXT.transform((one) => [one])]).default([]),
  dfdaemon: FLAG.default(false),
  native: z
    .object({
      versions: z.array(z.int().min(1)).min(1),
      blob: TEXT.refine((text): text is BlobId => isBlobId(text)),
      redirected: z.boolean().optional(),
      without: z.array(z.string().max(300)).max(64).optional(),
      resumes: z.boolean().optional(),
      waits: z.boolean().optional(),
      zone: z
        .string()
        .regex(/^[!-~]{1,100}$/)
        .optional(),
    })
    .optional(),
});

type FieldName = keyof typeof FIELDS.shape;

/** What each field has to be, for messages: the name as clients write it and the rule. */
const RULES: Readonly<Record<FieldName, readonly [name: string, rule: string]>> = {
  rawurl: ['rawUrl', 'an absolute http or https URL'],
  taskurl: ['taskUrl', 'text'],
  cid: ['cid', `the client's name, at most ${LONGEST_CID} long and without control characters`],
  ip: ['ip', "the client's own IPv4 or IPv6 address"],
  port: ['port', "the port of the client's peer server, 0 (none) to 65535"],
  path: [
    'path',
    `the file's path on the client's peer server, at most ${LONGEST_PATH} long and starting with one slash`,
  ],
  hostname: ['hostName', NOTE_RULE],
  supernodeip: ['superNodeIp', NOTE_RULE],
  version: ['version', NOTE_RULE],
  md5: ['md5', NOTE_RULE],
  identifier: ['identifier', NOTE_RULE],
  callsystem: ['callSystem', NOTE_RULE],
  headers: ['headers', 'a list of texts "Name:value"'],
  dfdaemon: ['dfdaemon', 'true or false'],
  native: ['native', '{"versions": [whole numbers from 1], "blob": "sha256:<64 hex>" or "task:<64 hex>"}'],
};

/**
 * Reads the body of `POST /peer/registry`, a form or JSON (Dragonfly 0.x protocol, 2.1 and 9). The body tells which, not the content
 * type: JSON is an object, a form never starts with a brace. Names in any case, `port` and `dfdaemon` also as text, empty texts
 * and null as absent, unknown fields ignored. Without `taskUrl` the raw URL takes its place. Total.
 */
export function parseRegistryRequest(body: string): ClassicParse<RegistryRequest> {
  const given = body.trimStart().startsWith('{') ? jsonFields(body) : formFields(body);
  if (given === undefined)
    return refused('The body is neither a JSON object nor a form: send the fields of a registration.');
  const parsed = FIELDS.safeParse(given);
  if (!parsed.success) return refused(explain(given, parsed.error));
  const f = parsed.data;
  return accepted({
    rawUrl: f.rawurl,
    taskUrl: f.taskurl ?? f.rawurl,
    cid: f.cid,
    ip: f.ip,
    port: f.port,
    path: f.path,
    hostName: f.hostname,
    superNodeIp: f.supernodeip,
    version: f.version,
    md5: f.md5,
    identifier: f.identifier,
    callSystem: f.callsystem,
    headers: parseHeaderFields(f.headers),
    dfdaemon: f.dfdaemon,
    native: f.native,
  });
}

/** The body with which dfget 0.3.0 and later would register: JSON for `Content-Type: application/json;charset=utf-8`. */
export function formatRegistryRequest(request: RegistryRequest): string {
  const { headers, dfdaemon, ...rest } = request;
  return JSON.stringify({
    ...rest,
    ...(headers.length > 0 ? { headers: formatHeaderFields(headers) } : {}),
    ...(dfdaemon ? { dfdaemon } : {}),
  });
}

type GivenFields = Partial<Record<string, unknown>>;

function isField(name: string): name is FieldName {
  return Object.hasOwn(RULES, name);
}

function jsonFields(body: string): GivenFields | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const fields: GivenFields = {};
  for (const [name, value] of Object.entries(parsed)) {
    const key = name.toLowerCase();
    if (isField(key) && value !== null && value !== '') fields[key] = value;
  }
  return fields;
}

function formFields(body: string): GivenFields {
  const fields: GivenFields = {};
  for (const [name, values] of parseFields(body, 'space')) {
    if (name === 'headers') fields[name] = values;
    // A form carries no objects: the native offer comes as JSON only.
    else if (isField(name) && name !== 'native' && values.at(-1) !== '') fields[name] = values.at(-1);
  }
  return fields;
}

function explain(given: GivenFields, error: z.ZodError): string {
  const key = String(error.issues[0]?.path[0]);
  const [name, rule] = isField(key) ? RULES[key] : [key, 'something else'];
  const value = given[key];
  // Headers may be credentials, and so may the query of a URL.
  const what =
    name === 'headers'
      ? 'something else'
      : shown(key === 'rawurl' && typeof value === 'string' ? redactUrl(value) : value);
  return `${name} has to be ${rule}; given was ${what}.`;
}
