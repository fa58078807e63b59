/** What a registry asks for with a 401. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      /** Where tokens are given. */
      readonly realm: URL;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

const PARAMETER = /([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** Reads `WWW-Authenticate`: the Bearer challenge of registries (RFC 6750, 3; Distribution's token specification), else Basic (RFC 7617). Total. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const bearer = /(?:^|,)\s*bearer\s+(.*)$/is.exec(header ?? '')?.[1];
  if (bearer !== undefined) {
    const fields = new Map<string, string>();
    for (const [, name = '', quoted, token] of bearer.matchAll(PARAMETER)) {
      const key = name.toLowerCase();
      if (!fields.has(key)) fields.set(key, quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
    }
    const realm = fields.get('realm') ?? '';
    if (!URL.canParse(realm)) return undefined;
    return { scheme: 'bearer', realm: new URL(realm), service: fields.get('service'), scope: fields.get('scope') };
  }
  return /(?:^|,)\s*basic(?:\s|,|$)/i.test(header ?? '') ? { scheme: 'basic' } : undefined;
}
