import { Metrics } from '../../src/index';
import { MANIFEST } from '../support/response-record';

const NODE = {
  traffic: { local: 0, peer: 0, supernode: 0, origin: 0 },
  usage: { blobs: 0, bytes: 0, evicted: 0 },
};

/** The samples that begin so, by their series. */
async function samples(metrics: Metrics, prefix: string): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(prefix));
  return new Map(
    lines.map((line) => [line.slice(prefix.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

describe('what a df-daemon tells Prometheus', () => {
  it('has a series for each reason of a fallback and of a kept manifest from the start, which counts on from 0', async () => {
    const metrics = new Metrics(NODE);
    const reasons = ['changed', 'digest-mismatch', 'not-authorized', 'origin-forbidden'];
    reasons.push('origin-status', 'origin-unreachable', 'unstorable');
    const fallbacks = await samples(metrics, 'dragonfly_dfdaemon_fallbacks_total');
    expect([...fallbacks].sort()).toEqual(reasons.map((reason) => [`{reason="${reason}"}`, 0]));
    const kept = await samples(metrics, 'dragonfly_dfdaemon_kept_manifests_total');
    expect([...kept].sort()).toEqual([
      ['{why="stale"}', 0],
      ['{why="ttl"}', 0],
    ]);

    metrics.record({ ...MANIFEST, manifest: 'stale', from: 'mirror' });
    metrics.record({ ...MANIFEST, kind: 'blob', passedOnBecause: 'it is away', reason: 'origin-unreachable' });
    expect((await samples(metrics, 'dragonfly_dfdaemon_kept_manifests_total')).get('{why="stale"}')).toBe(1);
    const after = await samples(metrics, 'dragonfly_dfdaemon_fallbacks_total');
    expect([after.get('{reason="origin-unreachable"}'), after.size]).toEqual([1, reasons.length]);
  });

  it('counts usual answers, and errors of a registry, in series that were there', async () => {
    const metrics = new Metrics(NODE);
    const before = await samples(metrics, 'dragonfly_dfdaemon_responses_total');
    expect([...before.values()].every((value) => value === 0)).toBe(true);
    metrics.record({ ...MANIFEST, status: 502 });
    metrics.record({ ...MANIFEST, kind: 'blob', status: 503 });
    metrics.record({ ...MANIFEST, kind: 'blob', from: 'swarm' });
    metrics.record({ ...MANIFEST, kind: 'ping', status: 401 });
    const after = await samples(metrics, 'dragonfly_dfdaemon_responses_total');
    expect([...after.keys()]).toEqual([...before.keys()]);
    expect([...after].filter(([, value]) => value > 0)).toEqual([
      ['{kind="ping",from="registry",code="401"}', 1],
      ['{kind="manifest",from="registry",code="502"}', 1],
      ['{kind="blob",from="swarm",code="200"}', 1],
      ['{kind="blob",from="registry",code="503"}', 1],
    ]);
  });

  it('has the buckets of first bytes before the first one', async () => {
    const buckets = await samples(new Metrics(NODE), 'dragonfly_dfdaemon_first_byte_seconds_bucket');
    expect(buckets.get('{le="5",from="swarm"}')).toBe(0);
  });
});
