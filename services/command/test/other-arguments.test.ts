import { DFDAEMON } from '@cdk8s-dragonfly/contract';
import { helpText, idleSettings, parseCommand, UsageError, type CommandValues } from '../src';
import { memoryFiles } from './memory-files';

const FILE = '/etc/dragonfly/dfdaemon.yml';
const TEMPLATE =
  'dfget_flags: ["--node", "192.168.33.21", "--verbose", "--ip", "192.168.33.23", "--header", "Authorization: secret", "-f", "a&b", "-f", "c"]';

function daemon(file: string, ...argv: string[]): CommandValues<typeof DFDAEMON> {
  const readFile = memoryFiles({ [FILE]: file });
  return parseCommand(DFDAEMON, ['--registry', 'https://a.test', ...argv], { env: {}, readFile });
}

describe('dfget_flags', () => {
  test.each([
    [TEMPLATE, ['192.168.33.21']],
    ['dfget_flags: [-n, "a:1,b"]', ['a:1', 'b']],
    ['dfget_flags: [--node=a, -node, b]', ['a', 'b']],
    [`supernodes: []\n${TEMPLATE}`, ['192.168.33.21']],
    ['dfget_flags:', []],
    ['dfget_flags: []', []],
  ])('%j names the supernodes', (file, nodes) => {
    expect(daemon(file).node.map(({ host, port }) => (port === undefined ? host : `${host}:${port}`))).toEqual(nodes);
  });

  test('tells the names of what does nothing, and no values', () => {
    expect(idleSettings(daemon(TEMPLATE))).toEqual([
      {
        where: `--verbose, --ip, --header, -f in the key dfget_flags in ${FILE}`,
        why: 'there is no dfget to pass them to',
      },
    ]);
    expect(idleSettings(daemon('dfget_flags: [--node, a]'))).toEqual([]);
  });

  test.each([
    [[], `the key supernodes in ${FILE}`, 'b'],
    [['--node', 'c'], '--node', 'c'],
  ])('gives way to others (%j), and says so', (argv, winner, host) => {
    const values = daemon('supernodes: [b]\ndfget_flags: [--node, a]', ...argv);
    expect(values.node).toEqual([{ host }]);
    expect(idleSettings(values)).toEqual([
      { where: `--node in the key dfget_flags in ${FILE}`, why: `${winner} wins` },
    ]);
  });

  test('with a wrong address is refused', () => {
    expect(() => daemon('dfget_flags: [--node, "http://a"]')).toThrow(
      new UsageError(
        `--node in the key dfget_flags in ${FILE} must be HOST or HOST:PORT (IPv6 in brackets, port 1 to 65535), not "http://a"`,
      ),
    );
  });

  test('stands in the help', () => {
    const help = helpText(DFDAEMON).replace(/\s+/g, ' ');
    expect(help).toContain('key supernodes; also in the key dfget_flags)');
    expect(help).toContain('dfget_flags but for --node: there is no dfget to pass them to');
  });
});
