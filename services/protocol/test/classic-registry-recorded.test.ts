import { parseRegistryAnswer, parseRegistryRequest, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { RegistryRequest } from '@cdk8s-dragonfly/protocol';
import { bodyText, recordedExchanges } from './classic-recordings';

function understood(body: string): RegistryRequest {
  const parsed = parseRegistryRequest(body);
  if (!parsed.ok) throw new Error(parsed.refusal.msg);
  return parsed.value;
}

describe('recorded registrations', () => {
  const registrations = recordedExchanges().filter(({ request }) => request.path.endsWith('/peer/registry'));

  it('are all there', () => {
    expect(registrations).toHaveLength(169);
  });

  it('are taken when the original took them, with the same task id', () => {
    const taken = registrations.filter(({ response }) => {
      const answer = response?.body?.json as { data?: { taskId?: string } } | undefined;
      return answer?.data?.taskId !== undefined;
    });
    expect(taken.length).toBeGreaterThan(100);
    for (const { request, response } of taken) {
      const value = understood(bodyText(request.body));
      const { data } = response?.body?.json as { data: { taskId: string } };
      expect(taskIdOf(value)).toBe(data.taskId);
    }
  });

  it('are refused only for what no supernode could take', () => {
    const refusals = registrations
      .map(({ request }) => parseRegistryRequest(bodyText(request.body)))
      .flatMap((parsed) => (parsed.ok ? [] : [parsed.refusal.msg]));
    expect(refusals).toEqual([
      'rawUrl has to be an absolute http or https URL; given was nothing.',
      'rawUrl has to be an absolute http or https URL; given was nothing.',
      'ip has to be the client\'s own IPv4 or IPv6 address; given was "1.2.3".',
      "path has to be the file's path on the client's peer server, at most 4000 long and starting with one slash; given was nothing.",
      "cid has to be the client's name, at most 500 long and without control characters; given was nothing.",
      'rawUrl has to be an absolute http or https URL; given was "ftp://x".',
    ]);
  });

  it('become typed values', () => {
    const ofPython = registrations.find(({ file }) => file === '15');
    expect(understood(bodyText(ofPython?.request.body))).toMatchObject({
      cid: '127.0.0.5-19293-1795407216.532',
      ip: '127.0.0.5',
      port: 49690,
      version: '0.2.0',
      callSystem: 'com_ops_dragonfly',
      dfdaemon: true,
      path: '/peer/file/a470d87f-60c4-4985-be03-bc5b7242c66c-19293-1795407216.532',
      headers: expect.arrayContaining([
        ['Accept-Encoding', 'gzip'],
        ['X-Forwarded-For', '127.0.0.1'],
      ]) as unknown,
    });
    const ofGo = registrations.find(({ file }) => file === '17');
    expect(understood(bodyText(ofGo?.request.body))).toMatchObject({
      rawUrl: 'http://127.0.0.1:9000/auth/v2/x/blobs/sha256:abc',
      port: 49690,
      dfdaemon: true,
      headers: [
        ['User-Agent', 'curl/7.88.1'],
        ['Accept', '*/*'],
        ['X-Forwarded-For', '127.0.0.1'],
      ],
    });
  });

  it('have answers that are all read', () => {
    const counts = new Map<string, number>();
    for (const { response } of registrations) {
      const answer = parseRegistryAnswer(response?.status ?? 0, bodyText(response?.body));
      const key = `${response?.status ?? 0} ${answer.kind}${answer.kind === 'refused' ? ` ${answer.code}` : ''}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({
      '200 registered': 108,
      '200 refused 500': 3,
      '200 refused 607': 8,
      '200 refused 608': 3,
      '200 refused 609': 32,
      '500 refused 500': 1,
      '500 refused 501': 11,
      // A scripted {"message":"x"}.
      '500 unusable': 3,
    });
  });

  it('are taken where only the Go supernode refuses: forms, other ports, the port as text, a node by name', () => {
    const taken = registrations
      .filter(({ file, response }) => (file === '04' || file === '06') && response?.status === 500)
      .map(({ request }) => parseRegistryRequest(bodyText(request.body)))
      .flatMap((parsed) => (parsed.ok ? [parsed.value] : []));
    expect(taken.map(({ cid, port, superNodeIp }) => [cid, port, superNodeIp])).toEqual([
      ['127.0.0.5-10596-1795406268.527', 49_687, '127.0.0.1'],
      ['127.0.0.5-10596-1795406268.527', 49_687, '127.0.0.1'],
      ['c1', 80, undefined],
      ['c1', 65_001, undefined],
      ['c2', 15_000, 'localhost'],
      ['c4', 15_000, undefined],
    ]);
  });
});
