import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiPlace } from '../src/kubernetes/api-client';
import { removeTaint } from '../src/kubernetes/node-taint';
import { KEY, PretendedApi } from './support/pretended-api';

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
