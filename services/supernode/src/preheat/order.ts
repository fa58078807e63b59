import { filterUrl, isHeaderLine, jsonOf, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';
import { z } from 'zod';

import { imageUrl } from './image-url';
import type { ImageUrl } from './image-url';
import { formatPlatform, parsePlatform } from './platform';
import type { Platform } from './platform';

/** A user's name and password at a registry. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What every order has. Kept in memory only; headers and credentials are shown to nobody. */
interface CommonOrder {
  /** The classic task id of its URL: the same for the same order (Dragonfly 0.x protocol, 8). */
  readonly id: string;
  readonly url: URL;
  /** For the origin. */
  readonly headers: readonly HeaderLine[];
  readonly credentials: Credentials | undefined;
  /** Another replica sent it: it is done here, whoever owns the blobs. */
  readonly here: boolean;
}

/** One file. */
export interface FileOrder extends CommonOrder {
  readonly type: 'file';
  /** As it was given: its spelling is part of its task id. */
  readonly rawUrl: string;
  /** Names of query parameters that are no part of its name, joined by `&`; empty: none. */
  readonly filter: string;
  readonly identifier: string | undefined;
}

/** All blobs of an image. */
export interface ImageOrder extends CommonOrder {
  readonly type: 'image';
  readonly image: ImageUrl;
  /** Empty: all. */
  readonly platforms: readonly Platform[];
}

export type PreheatOrder = FileOrder | ImageOrder;

/** What a body says, or why it says nothing. */
export type ParsedOrder =
  { readonly ok: true; readonly order: PreheatOrder } | { readonly ok: false; readonly message: string };

/** So many platforms may be chosen. */
const MOST_PLATFORMS = 50;

const TEXT = z.string().nullish();
const BODY = z.strictObject({
  type: z.string().transform((type) => type.toLowerCase()),
  url: z.string().min(1),
  filter: TEXT,
  identifier: TEXT,
  headers: z.record(z.string(), z.string()).nullish(),
  platforms: z.array(z.string()).max(MOST_PLATFORMS).nullish(),
  username: TEXT,
  password: TEXT,
  here: z.boolean().nullish(),
});

/** What each field has to be. Messages never tell what was given where that may be a secret. */
const RULES: Readonly<Record<keyof typeof BODY.shape, string>> = {
  type: '"file" or "image"',
  url: 'the URL of a file, the URL of a manifest, or an image such as docker.io/library/nginx:1.25',
  filter: 'the names of query parameters, joined by &',
  identifier: 'text',
  headers: 'an object of names and values such as {"Authorization": "Basic …"}',
  platforms: `a list of at most ${MOST_PLATFORMS} platforms such as ["linux/amd64", "linux/arm/v7"]`,
  username: 'text',
  password: 'text',
  here: 'true or false',
};

/**
 * Reads the body of `POST /preheats` (Dragonfly 0.x protocol, 8; `platforms`, `username` and `password` are ours). Total.
 *
 * What it does not know is refused: who misspells `platforms` would have all of them fetched.
 */
export function parseOrder(body: string): ParsedOrder {
  const parsed = BODY.safeParse(jsonOf(body));
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    if (first?.code === 'unrecognized_keys') {
      const names = first.keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ');
      return refused(`an order has no ${names}; it may have ${Object.keys(RULES).join(', ')}`);
    }
    const field = first?.path[0];
    return typeof field === 'string' && isField(field)
      ? refused(`${field} has to be ${RULES[field]}`)
      : refused('the body has to be a JSON object such as {"type": "image", "url": "docker.io/library/nginx:1.25"}');
  }
  const { type, url, headers, platforms, username, password, here } = parsed.data;
  const lines = Object.entries(headers ?? {});
  const bad = lines.find((line) => !isHeaderLine(line));
  if (bad !== undefined) return refused(`headers: ${JSON.stringify(bad[0])} cannot be sent as a header line`);
  if (typeof username !== typeof password || username?.includes(':') === true) {
    return refused('username and password have to be given together, the username without a colon');
  }
  const credentials = username != null && password != null ? { username, password } : undefined;
  const common = { headers: lines, credentials, here: here === true };
  const filter = parsed.data.filter ?? '';
  const identifier = parsed.data.identifier ?? undefined;
  if (type === 'file') {
    if (platforms != null) return refused('platforms can be chosen of an image only, and type is "file"');
    const fileUrl = plainUrl(url);
    if (fileUrl === undefined) {
      return refused('url has to be an absolute http or https URL without user name and password, for type "file"');
    }
    const id = taskIdOf({ taskUrl: filterUrl(url, filter), identifier });
    return { ok: true, order: { ...common, type, id, rawUrl: url, url: fileUrl, filter, identifier } };
  }
  if (type !== 'image') return refused(`type has to be ${RULES.type}, not ${JSON.stringify(type.slice(0, 40))}`);
  if (here === true) return refused('here can be said of a file only: it is how replicas share the blobs of an image');
  const image = imageUrl(url);
  if (image === undefined) {
    return refused(
      'url has to be …/v2/NAME/manifests/REFERENCE, or an image such as docker.io/library/nginx:1.25, for type "image"',
    );
  }
  const chosen: Platform[] = [];
  for (const text of platforms ?? []) {
    const platform = parsePlatform(text);
    if (platform === undefined) {
      return refused(
        `platforms: ${JSON.stringify(text.slice(0, 40))} is none; write OS/ARCHITECTURE such as linux/amd64`,
      );
    }
    chosen.push(platform);
  }
  const taskUrl = filterUrl(image.manifest.href, filter);
  const id = taskIdOf({
    taskUrl,
    identifier: [identifier ?? '', ...chosen.map(formatPlatform).sort()].join(' ').trim(),
  });
  return { ok: true, order: { ...common, type, id, url: image.manifest, image, platforms: chosen } };
}

function refused(message: string): ParsedOrder {
  return { ok: false, message };
}

function isField(name: string): name is keyof typeof BODY.shape {
  return Object.hasOwn(RULES, name);
}

function plainUrl(text: string): URL | undefined {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  return url?.username === '' && url.password === '' ? url : undefined;
}
