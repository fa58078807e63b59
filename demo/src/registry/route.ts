/** What a request path of the pull API asks for (OCI distribution specification 1.1, "Pull"). */
export type Route =
  | { readonly kind: 'ping' }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string }
  | { readonly kind: 'tags'; readonly name: string };

const NAME = '([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)';
const MANIFEST = new RegExp(`^/v2/${NAME}/manifests/([A-Za-z0-9_][A-Za-z0-9._:-]*)$`);
const BLOB = new RegExp(`^/v2/${NAME}/blobs/([a-z0-9]+:[a-f0-9]+)$`);
const TAGS = new RegExp(`^/v2/${NAME}/tags/list$`);

/** @returns undefined when the path is none of the pull API */
export function routeOf(path: string): Route | undefined {
  if (path === '/v2/' || path === '/v2') return { kind: 'ping' };
  const manifest = MANIFEST.exec(path);
  if (manifest) return { kind: 'manifest', name: manifest[1] ?? '', reference: manifest[2] ?? '' };
  const blob = BLOB.exec(path);
  if (blob) return { kind: 'blob', name: blob[1] ?? '', digest: blob[2] ?? '' };
  const tags = TAGS.exec(path);
  return tags ? { kind: 'tags', name: tags[1] ?? '' } : undefined;
}
