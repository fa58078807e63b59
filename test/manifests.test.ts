import type { Chart } from 'cdk8s';
import { Dragonfly, Preset } from '../src';
import { everything, SNAPSHOT_PROPS } from './support/everything';
import { golden } from './support/golden';
import { publicProps } from './support/public-props';
import { chart, yamlOf } from './support/synth';

function defaults(): Chart {
  const scope = chart();
  new Dragonfly(scope, 'dragonfly', { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' });
  return scope;
}

function classic(): Chart {
  const scope = chart();
  new Dragonfly(scope, 'dragonfly', Preset.classic());
  return scope;
}

const CHARTS: [string, () => Chart][] = [
  ['defaults', defaults],
  ['everything', everything],
  ['classic', classic],
];

describe.each(CHARTS)('the manifests of %s', (name, make) => {
  it('are the text in test/golden', () => {
    const text = yamlOf(make());
    expect(text).toBe(golden(name, text));
  });

  it('are the same bytes when synthesized again', () => {
    const scope = make();
    expect(yamlOf(scope)).toBe(yamlOf(scope));
    expect(yamlOf(make())).toBe(yamlOf(scope));
  });
});

it('every public prop is in a snapshot', () => {
  const without = [...publicProps()].flatMap(([name, props]) =>
    props
      .filter((prop) => SNAPSHOT_PROPS[name]?.some((given) => prop in given) !== true)
      .map((prop) => `${name}.${prop}`),
  );
  expect(without).toEqual([]);
});
