import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../src/kubernetes/api-client';

export const KEY = 'dragonfly.io/not-ready';

/** The part of an API server that knows one node: whoever patches an old version of it is refused. */
export class PretendedApi {
  readonly folder = mkdtempSync(join(tmpdir(), 'api-'));
  version = 7;
  taints: unknown[] = [
    { key: 'a', effect: 'NoSchedule' },
    { key: KEY, effect: 'NoSchedule' },
  ];
  allowed = true;
  /** Others that change the node right after it was read. */
  meddlers = 0;
  readonly seen: string[] = [];
  private server: Server | undefined;

  /** Called when a patch was taken. */
  onPatch: () => void = () => undefined;

  get port(): string {
    return String((this.server?.address() as AddressInfo | null)?.port);
  }

  async start(): Promise<ApiClient> {
    const [key, crt] = [join(this.folder, 'key.pem'), join(this.folder, 'ca.crt')];
    const subject = ['-subj', '/CN=api', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    execFileSync(
      'openssl',
      ['req', '-x509', ...curve, '-nodes', '-keyout', key, '-out', crt, '-days', '1', ...subject],
      {
        stdio: 'ignore',
      },
    );
    writeFileSync(join(this.folder, 'token'), 'secret\n');
    const server = createServer({ key: readFileSync(key), cert: readFileSync(crt) }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.seen.push(
          `${request.method} ${request.url} ${request.headers.authorization} ${request.headers['content-type']}`,
        );
        const [status, body] = this.answer(request.method ?? '', Buffer.concat(chunks).toString());
        response.writeHead(status).end(JSON.stringify(body));
      });
    });
    this.server = server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ApiClient({ host: '127.0.0.1', port: this.port, serviceAccount: this.folder });
  }

  stop(): void {
    this.server?.close();
    rmSync(this.folder, { recursive: true });
  }

  private answer(method: string, body: string): [number, unknown] {
    if (!this.allowed) return [403, { message: 'nodes "n1" is forbidden' }];
    if (method === 'GET') {
      const node = { metadata: { resourceVersion: String(this.version) }, spec: { taints: this.taints } };
      if (this.meddlers > 0) {
        this.meddlers -= 1;
        this.version += 1;
        this.taints = [...this.taints, { key: `b${this.version}`, effect: 'NoExecute' }];
      }
      return [200, node];
    }
    const patch = JSON.parse(body) as { metadata: { resourceVersion: string }; spec: { taints: unknown[] } };
    if (patch.metadata.resourceVersion !== String(this.version)) return [409, { message: 'conflict' }];
    this.taints = patch.spec.taints;
    this.onPatch();
    return [200, {}];
  }
}
