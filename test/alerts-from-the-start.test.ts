import { Metrics } from '@cdk8s-dragonfly/dfdaemon';
import { ALERTS } from '../src/monitoring/alerts';
import { selectorsOf } from './support/promql';
import type { Selector } from './support/promql';

const SCOPE = { supernode: 'job="s"', daemon: 'job="d"', replicas: 3, minFreeBytes: 1 };

function matches(line: string, { label, operator, value }: Selector['matchers'][number]): boolean {
  const own = new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1] ?? '';
  const isLike = operator.endsWith('~') ? new RegExp(`^(?:${value})$`).test(own) : own === value;
  return operator.startsWith('!') ? !isLike : isLike;
}

/** The selectors of df-daemons' own series, by alert. */
const used = ALERTS.flatMap(({ name, expression }): [string, Selector][] =>
  selectorsOf(expression(SCOPE) ?? 'up').flatMap((selector) =>
    selector.metric.startsWith('dragonfly_dfdaemon_') ? [[name, selector]] : [],
  ),
);

describe('a df-daemon that has just started', () => {
  let lines: string[] = [];
  beforeAll(async () => {
    const traffic = { local: 0, peer: 0, supernode: 0, origin: 0 };
    lines = (await new Metrics({ traffic, usage: { blobs: 0, bytes: 0, evicted: 0 } }).text()).split('\n');
  });

  it.each(used)(
    'has the series that %s uses, with 0: else its first burst would be no rate (%j)',
    (_name, selector) => {
      const { metric, matchers } = selector;
      const own = matchers.filter(({ label }) => label !== 'job');
      const found = lines.filter(
        (line) => /^\w+/.exec(line)?.[0] === metric && own.every((matcher) => matches(line, matcher)),
      );
      expect(found).not.toEqual([]);
      expect(found.filter((line) => !line.endsWith(' 0'))).toEqual([]);
    },
  );
});
