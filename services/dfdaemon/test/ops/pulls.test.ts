import { digestOf } from '@cdk8s-dragonfly/protocol';
import { Pulls } from '../../src/index';
import type { PullReport, ResponseRecord } from '../../src/index';
import { MANIFEST } from '../support/response-record';

const [ONE, TWO, IMAGE, INDEX] = ['one', 'two', 'image', 'index'].map((text) => digestOf(Buffer.from(text))) as [
  ResponseRecord['digest'] & string,
  ResponseRecord['digest'] & string,
  ResponseRecord['digest'] & string,
  ResponseRecord['digest'] & string,
];
const blob = (digest: string & ResponseRecord['digest'], more: Partial<ResponseRecord> = {}): ResponseRecord => ({
  ...MANIFEST,
  kind: 'blob',
  digest,
  from: 'swarm',
  sources: { local: 0, peer: 60, supernode: 40, origin: 0 },
  ...more,
});

describe('a pull', () => {
  let pulls: Pulls;
  let reports: PullReport[];

  beforeEach(() => {
    reports = [];
    pulls = new Pulls((report) => reports.push(report), 60_000);
    pulls.record({ ...MANIFEST, reference: '1.2', digest: INDEX, names: { blobs: [], manifests: [IMAGE] } });
    pulls.record({ ...MANIFEST, reference: IMAGE, digest: IMAGE, names: { blobs: [ONE, TWO], manifests: [] } });
  });

  test('has the name of its tag, also behind an index, and the bytes of its blobs by where they came from', async () => {
    pulls.record(blob(ONE));
    pulls.record(blob(TWO, { from: 'registry', sources: undefined, bytes: 30, error: 'cut' }));
    pulls.record(blob(digestOf(Buffer.from('of another image'))));
    pulls.record(blob(ONE, { repository: 'other/app' }));
    expect(reports).toEqual([]);
    await pulls.stop();
    expect(reports).toEqual([
      {
        image: 'ghcr.io/team/app:1.2',
        blobs: 2,
        bytes: 130,
        sources: { local: 0, peer: 60, supernode: 40, origin: 0, registry: 30 },
        seconds: expect.any(Number) as number,
        failed: 1,
        userAgent: 'containerd/1.7',
      },
    ]);
  });

  test('of which nothing was asked for but its manifest is not told', async () => {
    await pulls.stop();
    expect(reports).toEqual([]);
  });

  test('has ended when it was quiet for a while', async () => {
    jest.useFakeTimers();
    pulls.record(blob(ONE));
    jest.advanceTimersByTime(59_999);
    pulls.record(blob(TWO));
    jest.advanceTimersByTime(59_999);
    expect(reports).toEqual([]);
    jest.advanceTimersByTime(1);
    jest.useRealTimers();
    expect(reports.map(({ blobs }) => blobs)).toEqual([2]);
    await pulls.stop();
  });
});
