import { parseCommand } from '@cdk8s-dragonfly/command';
import { DEMO } from '../src/spec';

const parse = (...argv: string[]) => parseCommand(DEMO, argv, { env: {} });

test('three nodes and 64 MiB unless told otherwise', () => {
  expect(parse()).toMatchObject({ nodes: 3, size: 64 * 1024 ** 2, keep: false });
  expect(parse('--nodes', '5', '--size=1MiB', '--keep')).toMatchObject({ nodes: 5, size: 1024 ** 2, keep: true });
});

test.each([
  [['--nodes', '0'], '--nodes must be a whole number from 1 to 32, not "0"'],
  [['--nodes', '33'], '--nodes must be a whole number from 1 to 32, not "33"'],
  [['--nodes', 'many'], '--nodes must be a whole number from 1 to 32, not "many"'],
  [['--size', '1023KiB'], 'from 1MiB to 8GiB, not "1023KiB"'],
  [['--size', '64MB'], '--size must be a size'],
  [['--node', '3'], 'unknown flag "--node"; did you mean --nodes?'],
  [['5'], 'unexpected argument "5"; demo takes flags only'],
])('%j is refused in one line', (argv, message) => {
  expect(() => parse(...argv)).toThrow(message);
});
