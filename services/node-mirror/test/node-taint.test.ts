import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient, apiPlace } from '../src/kubernetes/api-client';
import { removeTaint } from '../src/kubernetes/node-taint';

const KEY = 'dragonfly.io/not-ready';

/** The part of an API server that knows one node: whoever patches an old version of it is refused. */
class PretendedApi {
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
    const port = String((server.address() as AddressInfo).port);
    return new ApiClient({ host: '127.0.0.1', port, serviceAccount: this.folder });
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
    return [200, {}];
  }
}

describe('removeTaint', () => {
  let api: PretendedApi;
  beforeEach(() => {
    api = new PretendedApi();
  });
  afterEach(() => {
    api.stop();
  });

  test('takes the one, keeps the others, and asks with the token of the pod', async () => {
    const client = await api.start();
    expect(await removeTaint(client, 'n1', KEY)).toBe(true);
    expect(api.taints).toEqual([{ key: 'a', effect: 'NoSchedule' }]);
    expect(api.seen).toEqual([
      'GET /api/v1/nodes/n1 Bearer secret undefined',
      'PATCH /api/v1/nodes/n1 Bearer secret application/merge-patch+json',
    ]);
    expect(await removeTaint(client, 'n1', KEY)).toBe(false);
    expect(api.seen).toHaveLength(3);
  });

  test('loses no taint that comes meanwhile', async () => {
    api.meddlers = 2;
    expect(await removeTaint(await api.start(), 'n1', KEY)).toBe(true);
    expect(api.taints).toEqual([
      { key: 'a', effect: 'NoSchedule' },
      { key: 'b8', effect: 'NoExecute' },
      { key: 'b9', effect: 'NoExecute' },
    ]);
  });

  test('gives up when others change the node all the time', async () => {
    api.meddlers = 100;
    await expect(removeTaint(await api.start(), 'n1', KEY)).rejects.toThrow(
      `the taint ${KEY} of node n1 cannot be removed: the Kubernetes API answered 409: conflict`,
    );
    expect(api.seen).toHaveLength(10);
  });

  test('says what the service account lacks', async () => {
    api.allowed = false;
    await expect(removeTaint(await api.start(), 'n1', KEY)).rejects.toThrow(
      'the Kubernetes API answered 403: nodes "n1" is forbidden (the service account needs get and patch of nodes)',
    );
  });

  test('trusts no server but one with a certificate of its own ca.crt', async () => {
    const client = await api.start();
    const other = new PretendedApi();
    await other.start();
    writeFileSync(join(api.folder, 'ca.crt'), readFileSync(join(other.folder, 'ca.crt')));
    other.stop();
    await expect(removeTaint(client, 'n1', KEY)).rejects.toThrow(
      /the Kubernetes API at 127.0.0.1:\d+ cannot be asked: .*certificate/,
    );
    expect(api.seen).toEqual([]);
  });
});

test('the API is where Kubernetes says', () => {
  expect(apiPlace({ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' }, '/sa')).toEqual({
    host: '10.0.0.1',
    port: '6443',
    serviceAccount: '/sa',
  });
  expect(() => apiPlace({}, '/sa')).toThrow(
    'KUBERNETES_SERVICE_HOST is not set: --remove-taint works in a pod of Kubernetes only',
  );
});
