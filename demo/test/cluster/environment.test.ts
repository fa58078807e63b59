import { expandArguments } from '../../src/cluster/plan/environment';

test.each([
  ['$(A)', 'one'],
  ['x$(A)y$(B)', 'xoneytwo'],
  ['$(C)', '$(C)'],
  ['$$(A)', '$(A)'],
  ['$A', '$A'],
])('%s becomes %s, as in Kubernetes', (argument, expected) => {
  expect(expandArguments([argument], { A: 'one', B: 'two' })).toEqual([expected]);
});
