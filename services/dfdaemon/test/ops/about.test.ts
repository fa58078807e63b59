import { FakeProvider } from '../support/fake-provider';
import { ask } from '../support/client';
import { MirrorBench } from '../support/mirror-bench';

describe('what the daemon tells of itself', () => {
  let bench: MirrorBench;
  beforeAll(async () => {
    bench = await MirrorBench.start(new FakeProvider(() => new Error('not asked')), (_, response) => response.end());
  });
  afterAll(() => bench.stop());

  test.each([
    ['/args', '--registry https://[redacted]@r.example '],
    ['/debug/version', '1.2.3'],
  ])('%s is %j', async (path, text) => {
    const answer = await ask(bench.port, path);
    expect([answer.status, answer.body.toString(), answer.headers['cache-control']]).toEqual([200, text, 'no-store']);
  });

  test('/env has no secret', async () => {
    const answer = await ask(bench.port, '/env');
    expect(JSON.parse(answer.body.toString())).toEqual({
      HOME: '/root',
      API_TOKEN: '[redacted]',
      HTTPS_PROXY: 'http://[redacted]@proxy.example',
    });
  });

  test('no registry is asked for any of it', async () => {
    expect((await ask(bench.port, '/debug/pprof/heap')).status).toBe(404);
    expect(bench.asked).toEqual([]);
  });
});
