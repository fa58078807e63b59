import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';

import { FreshFiles } from './fresh-files';
import { canonicalHost, hostAndPort, hostOf, portOf } from './host-port';
import type { HostPort } from './host-port';
import type { OriginLog } from './origin-log';

/** Certificates for TLS connections to a host, or to all. Files are PEM. */
export interface TrustEntry {
  /** Whom the files are for, with all its ports when it names none. Default: every host. */
  readonly host?: HostPort | undefined;
  /** Whom the files are for, by `host:port` with the port always written, instead of `host`. */
  readonly matches?: ((hostAndPort: string) => boolean) | undefined;
  /** Certificates of authorities to trust beside those that Node trusts. */
  readonly ca?: readonly string[];
  /** The certificate, with its chain, by which we show who we are; needs `host` and `key`. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

interface Files {
  readonly host: HostPort | undefined;
  readonly matches: ((hostAndPort: string) => boolean) | undefined;
  readonly ca: readonly FreshFiles<string>[];
  readonly pair: FreshFiles<Pair> | undefined;
}

/** A certificate and its key. */
type Pair = readonly [cert: string, key: string];

interface Made {
  readonly texts: readonly string[];
  readonly context: SecureContext;
}

/** Which certificates count on connections to which host. The files are read anew when they change. */
export class Trust {
  private readonly entries: readonly Files[];
  /** By the entries that apply. */
  private readonly made = new Map<string, Made>();
  /** What Node leaves out where others are added. */
  private readonly extra: readonly string[];

  /**
   * @param extra the file of `NODE_EXTRA_CA_CERTS`; Node has warned of one that cannot be read.
   * @throws Error, one sentence, when a file cannot be read, is no PEM, or a key does not belong to its certificate.
   */
  constructor(
    entries: readonly TrustEntry[],
    private readonly log?: OriginLog,
    extra = '',
  ) {
    this.extra = extra === '' ? [] : textIn(extra);
    this.entries = entries.map(({ host, matches, ca = [], cert, key }) => ({
      matches,
      host: host === undefined ? undefined : { host: canonicalHost(host.host), port: host.port },
      ca: ca.map((path) => this.authorities(path)),
      pair: cert === undefined && key === undefined ? undefined : this.pair({ host, cert, key }),
    }));
  }

  /** What TLS connections to the host of `url` are made with; undefined: what Node does by itself. Another object after a change. */
  contextFor(url: URL): SecureContext | undefined {
    const host = hostOf(url);
    const port = portOf(url);
    const applying = this.entries.filter((entry) => {
      if (entry.matches !== undefined) return entry.matches(hostAndPort(url));
      if (entry.host === undefined) return true;
      return entry.host.host === host && (entry.host.port === undefined || entry.host.port === port);
    });
    if (applying.length === 0) return undefined;
    const ca = applying.flatMap((entry) => entry.ca.map((file) => file.get()));
    const pair = applying
      .flatMap((entry) => entry.pair ?? [])
      .at(-1)
      ?.get();
    const name = applying.map((entry) => this.entries.indexOf(entry)).join();
    const texts = [...ca, ...(pair ?? [])];
    const before = this.made.get(name);
    if (before?.texts.every((text, index) => text === texts[index]) === true) return before.context;
    const context = contextOf(ca.length === 0 ? [] : [...this.extra, ...ca], pair);
    this.made.set(name, { texts, context });
    return context;
  }

  private authorities(path: string): FreshFiles<string> {
    const parse = (text: string): string => {
      if (!isCertificates(text)) throw new Error('it holds no certificate in PEM form');
      return text;
    };
    try {
      return new FreshFiles({ paths: [path], parse, log: this.log });
    } catch (error) {
      throw new Error(`the certificate ${path} cannot be used: ${messageOf(error)}`, { cause: error });
    }
  }

  private pair({ host, cert, key }: Pick<TrustEntry, 'host' | 'cert' | 'key'>): FreshFiles<Pair> {
    if (host === undefined) throw new Error(`the client certificate ${cert ?? ''} needs a host that it is shown to`);
    if (cert === undefined || key === undefined) {
      const [there = '', missing] = cert === undefined ? [key, 'certificate'] : [cert, 'key'];
      throw new Error(`${there} for ${host.host} needs its ${missing}: a client certificate and its key go together`);
    }
    const parse = (...texts: [string, string]): Pair => {
      if (!isCertificates(texts[0])) throw new Error(`${cert} holds no certificate in PEM form`);
      if (!isKey(texts[1])) throw new Error(`${key} holds no private key in PEM form`);
      contextOf([], texts);
      return texts;
    };
    try {
      return new FreshFiles({ paths: [cert, key], parse, log: this.log });
    } catch (error) {
      throw new Error(
        `the client certificate ${cert} and the key ${key} cannot be used together: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }
}

/** Authorities are added to what Node made, not given to it: it has its own list, or with `--use-openssl-ca` that of the system. */
function contextOf(ca: readonly string[], pair: Pair | undefined): SecureContext {
  const made = createSecureContext(pair === undefined ? {} : { cert: pair[0], key: pair[1] });
  const { context } = made as { readonly context: { addCACert(pem: string): void } };
  for (const pem of ca) context.addCACert(pem);
  return made;
}

function textIn(path: string): readonly string[] {
  try {
    return [readFileSync(path, 'utf8')];
  } catch {
    return []; // Node goes on without it, too
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isCertificates(text: string): boolean {
  const found = text.match(CERTIFICATE) ?? [];
  try {
    return found.map((pem) => new X509Certificate(pem)).length > 0;
  } catch {
    return false; // said by the caller, with the name of the file
  }
}

function isKey(text: string): boolean {
  return /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(text);
}
