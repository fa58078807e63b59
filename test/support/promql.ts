import type { LRParser } from '@lezer/lr';

// Its types call it an ES module, though it has a CommonJS build too.
const { parser } = jest.requireActual<{ readonly parser: LRParser }>('@prometheus-io/lezer-promql');

/** A selector of series in a query. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

/**
 * The selectors of a query, by the parser that Prometheus' own user interface has.
 *
 * @throws Error when it is no PromQL
 */
export function selectorsOf(query: string): Selector[] {
  // Grafana puts a duration there.
  const text = query.replace(/\$__rate_interval/g, '5m');
  const selectors: { metric: string; matchers: { label: string; operator: string; value: string }[] }[] = [];
  parser.parse(text).iterate({
    enter({ name, type, from, to }) {
      const here = text.slice(from, to);
      if (type.isError) throw new Error(`no PromQL at ${from}: ${text}`);
      if (name === 'Identifier') selectors.push({ metric: here, matchers: [] });
      if (name === 'UnquotedLabelMatcher') {
        const [, label = '', operator = '', value = ''] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(here) ?? [];
        selectors.at(-1)?.matchers.push({ label, operator, value });
      }
    },
  });
  return selectors;
}
