import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { selfSigned } from '../../services/origin/test/certificate';

/** What a registry is told to take its tokens. */
export interface TokenTrust {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** The certificate that signs them, PEM. */
  readonly certificate: string;
}

export interface User {
  readonly username: string;
  readonly password: string;
}

/** The only user; may push and pull everything. Anybody may pull what is in `library/`. */
export const USER: User = { username: 'robot', password: 'pass:word' };

const SERVICE = 'registry.e2e';
const ISSUER = 'token-server.e2e';
const BASIC = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;

/** A token server as registries name it in their challenges (Distribution's token specification; JWT, RFC 7519, ES256). */
export class TokenServer {
  private readonly certificate = selfSigned([ISSUER]);

  private constructor(
    private readonly server: Server,
    private readonly ip: string,
  ) {}

  static async start(ip: string): Promise<TokenServer> {
    const server = createServer();
    server.listen(0, ip);
    await once(server, 'listening');
    const tokens = new TokenServer(server, ip);
    server.on('request', (request, response) => tokens.answer(request, response));
    return tokens;
  }

  get trust(): TokenTrust {
    const { port } = this.server.address() as AddressInfo;
    const realm = `http://${this.ip}:${port}/token`;
    return { realm, service: SERVICE, issuer: ISSUER, certificate: this.certificate.cert };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, this.trust.realm);
    // containerd tries a POST first and goes on with GET after this.
    if (method !== 'GET' || pathname !== '/token') {
      response.writeHead(405).end();
      return;
    }
    if (headers.authorization !== undefined && headers.authorization !== BASIC) {
      response.writeHead(401).end();
      return;
    }
    const isUser = headers.authorization === BASIC;
    const access = searchParams.getAll('scope').flatMap((scope) => {
      const [, name = '', actions = ''] = /^repository:([^:]+):(.+)$/.exec(scope) ?? [];
      const granted = actions
        .split(',')
        .filter((action) => isUser || (action === 'pull' && name.startsWith('library/')));
      return granted.length === 0 ? [] : [{ type: 'repository', name, actions: granted }];
    });
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ token: this.token(access), expires_in: 300 }));
  }

  private token(access: readonly object[]): string {
    const der = this.certificate.cert.replace(/-----[^-]+-----|\s/g, '');
    const now = Math.floor(Date.now() / 1000);
    const times = { nbf: now - 10, iat: now, exp: now + 300 };
    const claims = { iss: ISSUER, sub: '', aud: SERVICE, ...times, jti: randomUUID(), access };
    const text = [{ typ: 'JWT', alg: 'ES256', x5c: [der] }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const key = createPrivateKey(this.certificate.key);
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }
}
