import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';

import { FreshFile } from './fresh-file';
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
  readonly ca: readonly FreshFile<string>[];
  readonly cert: FreshFile<string> | undefined;
  readonly key: FreshFile<string> | undefined;
}

interface Made {
  readonly texts: readonly string[];
  readonly context: SecureContext;
}

/** Which certificates count on connections to which host. The files are read anew when they change. */
export class Trust {
  private readonly entries: readonly Files[];
  /** By the entries that apply. */
  private readonly made = new Map<string, Made>();

  /** @throws Error, one sentence, when a file cannot be read, is no PEM, or a key does not belong to its certificate. */
  constructor(
    entries: readonly TrustEntry[],
    private readonly log?: OriginLog,
  ) {
    this.entries = entries.map(({ host, matches, ca = [], cert, key }) => ({
      matches,
      host: host === undefined ? undefined : { host: canonicalHost(host.host), port: host.port },
      ca: ca.map((path) => this.file(path, 'certificate', isCertificates)),
      cert: cert === undefined ? undefined : this.file(cert, 'certificate', isCertificates),
      key: key === undefined ? undefined : this.file(key, 'private key', isKey),
    }));
    for (const [index, { cert, key }] of this.entries.entries()) {
      if (cert !== undefined || key !== undefined) this.checkPair(entries[index] ?? {}, cert, key);
    }
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
    const pair = applying.filter(({ cert }) => cert !== undefined).at(-1);
    const own = [pair?.cert?.get() ?? '', pair?.key?.get() ?? ''];
    const name = applying.map((entry) => this.entries.indexOf(entry)).join();
    const texts = [...ca, ...own];
    const before = this.made.get(name);
    if (before?.texts.every((text, index) => text === texts[index]) === true) return before.context;
    try {
      const context = contextOf(ca, own);
      this.made.set(name, { texts, context });
      return context;
    } catch (error) {
      // Between the two writes of a certificate and its key.
      const why = error instanceof Error ? error.message : String(error);
      this.log?.warn('changed certificates do not fit together; the former ones count', { host, why });
      if (before === undefined) throw error;
      return before.context;
    }
  }

  private file(path: string, what: string, isRight: (text: string) => boolean): FreshFile<string> {
    const parse = (text: string): string => {
      if (!isRight(text)) throw new Error(`it holds no ${what} in PEM form`);
      return text;
    };
    try {
      return new FreshFile({ path, parse, log: this.log });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`the ${what} ${path} cannot be used: ${why}`, { cause: error });
    }
  }

  private checkPair(entry: TrustEntry, cert: FreshFile<string> | undefined, key: FreshFile<string> | undefined): void {
    const { host, cert: certPath = '', key: keyPath = '' } = entry;
    if (host === undefined) throw new Error(`the client certificate ${certPath} needs a host that it is shown to`);
    if (cert === undefined || key === undefined) {
      const [there, missing] = cert === undefined ? [keyPath, 'certificate'] : [certPath, 'key'];
      throw new Error(`${there} for ${host.host} needs its ${missing}: a client certificate and its key go together`);
    }
    try {
      contextOf([], [cert.get(), key.get()]);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`the client certificate ${certPath} and the key ${keyPath} do not fit together: ${why}`, {
        cause: error,
      });
    }
  }
}

function contextOf(ca: readonly string[], [cert = '', key = '']: readonly string[]): SecureContext {
  return createSecureContext({
    ...(ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] }),
    ...(cert === '' ? {} : { cert, key }),
  });
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
