import { parseByteRange } from '../../src/registry/byte-range';

test.each([
  [undefined, undefined],
  ['bytes=0-', { from: 0, end: 10 }],
  ['bytes=3-', { from: 3, end: 10 }],
  ['bytes=3-3', { from: 3, end: 4 }],
  ['bytes=3-99', { from: 3, end: 10 }],
  ['bytes=-4', { from: 6, end: 10 }],
  ['bytes=-40', { from: 0, end: 10 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=10-12', 'unsatisfiable'],
  ['bytes=5-2', undefined],
  ['bytes=0-1,4-5', undefined],
  ['bytes=-', undefined],
  ['pieces=1-2', undefined],
])('%s of ten bytes', (header, expected) => {
  expect(parseByteRange(header, 10)).toEqual(expected);
});
