import { Registry } from 'prom-client';

import { BoundHistogram } from '../../src/metrics/histogram';

it('a histogram counts each value in its bucket and all above, by labels', async () => {
  const registry = new Registry();
  const histogram = new BoundHistogram({ name: 'took', help: 'How long.', buckets: [1, 5] }, registry);
  const [one, other] = [histogram.labels({ to: 'a' }), histogram.labels({ to: 'b' })];
  for (const value of [0.5, 1, 3, 100]) one.observe(value);
  other.observe(5);
  expect((await registry.metrics()).trim().split('\n')).toEqual([
    '# HELP took How long.',
    '# TYPE took histogram',
    'took_bucket{le="1",to="a"} 2',
    'took_bucket{le="5",to="a"} 3',
    'took_bucket{le="+Inf",to="a"} 4',
    'took_sum{to="a"} 104.5',
    'took_count{to="a"} 4',
    'took_bucket{le="1",to="b"} 0',
    'took_bucket{le="5",to="b"} 1',
    'took_bucket{le="+Inf",to="b"} 1',
    'took_sum{to="b"} 5',
    'took_count{to="b"} 1',
  ]);
});
