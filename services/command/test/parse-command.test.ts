import { DFDAEMON, DFGET, NODE_MIRROR, SUPERNODE } from '@cdk8s-dragonfly/contract';
import { parseCommand, sourceOf, UsageError, type CommandValues, type Environment } from '../src';
import { EXAMPLE, FREE, MODAL } from './example-spec';
import { memoryFiles } from './memory-files';

const REGISTRY = '--registry=https://registry.test';

function example(argv: readonly string[], env: Environment = {}, config?: string): CommandValues<typeof EXAMPLE> {
  return parseCommand(EXAMPLE, argv, {
    env,
    readFile: memoryFiles(config === undefined ? {} : { '/etc/example.yml': config }),
  });
}

describe('values', () => {
  test('have the types of the contract', () => {
    expect(example([REGISTRY])).toEqual({
      config: '/etc/example.yml',
      registry: new URL('https://registry.test'),
      node: [],
      header: [],
      output: undefined,
      workers: 4,
      retries: undefined,
      port: 8002,
      anyPort: 0,
      listen: { host: '127.0.0.1', port: 0 },
      quota: 1024 ** 3,
      wait: 1000,
      ip: undefined,
      verbose: false,
      level: 'info',
    });
  });

  test('are frozen, with their lists', () => {
    const values = example([REGISTRY, '-n', 'a']);
    expect([values, values.node, values.node[0]].map((value) => Object.isFrozen(value))).toEqual([true, true, true]);
  });

  test.each([[['--output', 'f']], [['--output=f']], [['-output', 'f']], [['-output=f']], [['-o', 'f']], [['-o=f']]])(
    '%j is the output f',
    (argv) => {
      expect(example([REGISTRY, ...argv]).output).toBe('f');
    },
  );

  test.each([
    [['--verbose'], true],
    [['-verbose'], true],
    [['--verbose=true'], true],
    [['--verbose=false'], false],
  ])('%j is verbose %p', (argv, verbose) => {
    expect(example([...argv, REGISTRY]).verbose).toBe(verbose);
  });

  test('repeat, and stand in lists with commas', () => {
    expect(example([REGISTRY, '-n', 'a, b:1', '--node', '[::1]:2', '-node=c.test,[::2]']).node).toEqual([
      { host: 'a' },
      { host: 'b', port: 1 },
      { host: '::1', port: 2 },
      { host: 'c.test' },
      { host: '::2' },
    ]);
  });

  test('keep commas where the contract says nothing of them', () => {
    expect(example([REGISTRY, '--header', 'Accept: a, b', '--header', '']).header).toEqual(['Accept: a, b', '']);
  });

  test('may start with a dash after an equals sign, and may be a lone dash', () => {
    expect(example([REGISTRY, '--output=-f', '--header', '-'])).toMatchObject({ output: '-f', header: ['-'] });
  });

  test('of numbers with units are bytes and milliseconds', () => {
    expect(example([REGISTRY, '--quota', '64MiB', '--wait', '1.5s'])).toMatchObject({ quota: 67_108_864, wait: 1500 });
  });

  test('of the argument stand in argument, wherever it was', () => {
    expect(parseCommand(MODAL, ['plan', '-u', 'http://a/b'], { env: {} }).argument).toBe('plan');
    expect(parseCommand(MODAL, ['-u', 'http://a/b', '--', 'check'], { env: {} }).argument).toBe('check');
  });

  test('of an argument without choices is any text', () => {
    expect(parseCommand(FREE, ['docker.io/a/b:c'], { env: {} }).argument).toBe('docker.io/a/b:c');
  });

  test('of every command of the contract come from its defaults', () => {
    const inputs = { env: { REGISTRY: 'https://registry.test' }, readFile: memoryFiles() };
    expect(parseCommand(DFDAEMON, [], inputs)).toMatchObject({ port: 65001, registry: ['https://registry.test'] });
    expect(parseCommand(SUPERNODE, [], inputs)).toMatchObject({
      port: 8002,
      downloadPort: 8001,
      advertiseIp: undefined,
    });
    expect(parseCommand(DFGET, ['-u', 'http://a/b'], inputs)).toMatchObject({ node: [], connectTimeout: 1000 });
    expect(parseCommand(NODE_MIRROR, ['apply'], inputs)).toMatchObject({ argument: 'apply', wait: 60_000 });
  });
});

describe('precedence', () => {
  const file = 'base: {port: 3}\n';

  test.each([
    [['--port', '1'], { PORT: '2' }, file, 1, 'flag'],
    [[], { PORT: '2' }, file, 2, 'env'],
    [[], {}, file, 3, 'file'],
    [[], { PORT: '' }, file, 3, 'file'],
    [[], {}, undefined, 8002, 'default'],
  ] as const)('%j, %j and the file %j give %i from %s', (argv, env, config, port, source) => {
    const values = example([REGISTRY, ...argv], env, config);
    expect([values.port, sourceOf(values, 'port')]).toEqual([port, source]);
  });

  test('of a list is that of one place; places are not merged', () => {
    expect(example([REGISTRY, '-n', 'a'], {}, 'nodes: [b, c]').node).toEqual([{ host: 'a' }]);
    expect(example([REGISTRY], {}, 'nodes: [b, "c,d:5"]').node).toEqual([
      { host: 'b' },
      { host: 'c' },
      { host: 'd', port: 5 },
    ]);
  });

  test('is unknown of values that nobody gave and of other objects', () => {
    expect(sourceOf(example([REGISTRY]), 'output')).toBe('none');
    expect(sourceOf({ port: 1 }, 'port')).toBeUndefined();
  });
});

describe('the configuration file', () => {
  test('sets values by nested keys, as they are written', () => {
    const config =
      '# a comment\nmirror:\n  remote: https://file.test\nbase:\n  port: 0080\n  quota: 2GiB\nverbose: true\nworkers: 8\n';
    expect(example([], {}, config)).toMatchObject({ port: 80, quota: 2 * 1024 ** 3, verbose: true, workers: 8 });
  });

  test.each(['', '# nothing\n', 'base:\n', '---\n'])('may be as empty as %j', (config) => {
    expect(example([REGISTRY], {}, config).port).toBe(8002);
  });

  test('may be missing when it is the default one', () => {
    expect(example([REGISTRY]).port).toBe(8002);
  });

  test.each([
    [
      'bse: {port: 1}',
      'unknown key bse in /etc/example.yml; the keys are mirror.remote, nodes, workers, base.port, base.quota, verbose',
    ],
    ['base: {prt: 1}', 'unknown key base.prt in /etc/example.yml; did you mean base.port?'],
    [
      'base: {port: {a: 1}}',
      'the key base.port in /etc/example.yml must hold a value or a list of values, no further keys',
    ],
    ['base.port: 1', 'unknown key base.port in /etc/example.yml; its dots stand for nesting: one key in another'],
    [
      '__proto__: 1',
      'unknown key __proto__ in /etc/example.yml; the keys are mirror.remote, nodes, workers, base.port, base.quota, verbose',
    ],
    ['base: 7', 'the key base in /etc/example.yml must hold further keys, such as base.port'],
    ['- a', '/etc/example.yml must hold keys and values, such as mirror.remote: VALUE'],
    ['base: {port: [1, 2]}', 'the key base.port in /etc/example.yml is given 2 times; give it once'],
    ['base: {port: }', 'the key base.port in /etc/example.yml has no value; it must be a port from 1 to 65535'],
    ['base: {port: 70000}', 'the key base.port in /etc/example.yml must be a port from 1 to 65535, not "70000"'],
    ['workers: ~', 'the key workers in /etc/example.yml must be a whole number from 1 to 64, not "~"'],
    ['a: 1\na: 2', '/etc/example.yml is not valid YAML: Map keys must be unique at line 2, column 1'],
    [
      'a: [1\nb: 2',
      '/etc/example.yml is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 2, column 1',
    ],
  ])('%j is refused', (config, message) => {
    expect(() => example([REGISTRY], {}, config)).toThrow(new UsageError(message));
  });

  test.each([
    [{ '/etc/example.yml': { code: 'EACCES' } }, [], '/etc/example.yml cannot be read: permission denied'],
    [{}, ['--config', '/none.yml'], '/none.yml, named by --config, does not exist'],
    [{}, ['--config', '/etc/example.yml'], '/etc/example.yml, named by --config, does not exist'],
    [{ '/x': { code: 'EISDIR' } }, ['-config=/x'], '/x, named by --config, cannot be read: it is a folder'],
  ])('%j read with %j is refused', (files, argv, message) => {
    const parse = (): unknown => parseCommand(EXAMPLE, [REGISTRY, ...argv], { env: {}, readFile: memoryFiles(files) });
    expect(parse).toThrow(new UsageError(message));
  });
});

describe('a wrong command line', () => {
  test.each([
    [['--prot', '1'], 'unknown flag "--prot"; did you mean --port?'],
    [['-prot=1'], 'unknown flag "-prot"; did you mean --port?'],
    [['--verison'], 'unknown flag "--verison"; did you mean --version?'],
    [['--frobnicate'], 'unknown flag "--frobnicate"; example --help lists the flags'],
    [['-x'], 'unknown flag "-x"; example --help lists the flags'],
    [['--output'], '--output needs a value: --output PATH (or --output=VALUE when the value starts with a dash)'],
    [
      ['-o', '--verbose'],
      '--output needs a value: --output PATH (or --output=VALUE when the value starts with a dash)',
    ],
    [['--output='], '--output must be a path, not ""'],
    [['plan'], 'unexpected argument "plan"; example takes flags only'],
    [['--port', '1', '-port=2'], '--port is given 2 times; give it once'],
    [['--port', '0'], '--port must be a port from 1 to 65535, not "0"'],
    [['--port', '80x'], '--port must be a port from 1 to 65535, not "80x"'],
    [['--any-port', '65536'], '--any-port must be a port from 0 to 65535, not "65536"'],
    [['--workers', '65'], '--workers must be a whole number from 1 to 64, not "65"'],
    [['--workers', '1e1'], '--workers must be a whole number from 1 to 64, not "1e1"'],
    [['--retries=-1'], '--retries must be a whole number, not "-1"'],
    [['--verbose=yes'], '--verbose must be true or false, not "yes"'],
    [
      ['--quota', '64MB'],
      '--quota must be a size such as 64MiB (a whole number, with KiB, MiB, GiB, TiB or no unit for bytes), at least 1MiB, not "64MB"',
    ],
    [
      ['--quota', '1KiB'],
      '--quota must be a size such as 64MiB (a whole number, with KiB, MiB, GiB, TiB or no unit for bytes), at least 1MiB, not "1KiB"',
    ],
    [['--wait', '5'], '--wait must be a duration such as 1s (a number with ms, s, m or h) from 50ms to 1m, not "5"'],
    [
      ['--wait', '61s'],
      '--wait must be a duration such as 1s (a number with ms, s, m or h) from 50ms to 1m, not "61s"',
    ],
    [['--registry', 'registry.test'], '--registry must be an absolute http or https URL, not "registry.test"'],
    [['--registry', 'ftp://a/'], '--registry must be an absolute http or https URL, not "ftp://a/"'],
    [['--registry', 'http:a'], '--registry must be an absolute http or https URL, not "http:a"'],
    [['--ip', '1.2.3'], '--ip must be an IPv4 or IPv6 address, not "1.2.3"'],
    [['-n', 'a:0'], '--node must be HOST or HOST:PORT (IPv6 in brackets, port 1 to 65535), not "a:0"'],
    [['-n', '::1'], '--node must be HOST or HOST:PORT (IPv6 in brackets, port 1 to 65535), not "::1"'],
    [['-n', '1.2.3.400'], '--node must be HOST or HOST:PORT (IPv6 in brackets, port 1 to 65535), not "1.2.3.400"'],
    [['-n', 'a,,b'], '--node must be HOST or HOST:PORT (IPv6 in brackets, port 1 to 65535), not ""'],
    [['--listen', 'a b'], '--listen must be HOST or HOST:PORT (IPv6 in brackets, port 0 to 65535), not "a b"'],
    [['--log-level', 'loud'], '--log-level must be error, warn or info, not "loud"'],
  ])('%j: %s', (argv, message) => {
    expect(() => example([...argv, ...(argv[0] === '--registry' ? [] : [REGISTRY])])).toThrow(new UsageError(message));
  });

  test('is told of the environment variable that is wrong', () => {
    const message = 'the environment variable REGISTRY must be an absolute http or https URL, not "x"';
    expect(() => example([], { REGISTRY: 'x' })).toThrow(new UsageError(message));
  });

  test('is told all the ways to give what is required', () => {
    const message =
      '--registry is required: give --registry URL, set the environment variable REGISTRY or set the key mirror.remote in /etc/example.yml';
    expect(() => example([])).toThrow(new UsageError(message));
    const config = 'mirror: {remote: }';
    expect(() => example([], {}, config)).toThrow(new UsageError(message));
    expect(() =>
      parseCommand(DFDAEMON, [], {
        env: {},
        readFile: memoryFiles({ '/etc/dragonfly/dfdaemon.yml': 'registry_mirror: {remote: []}' }),
      }),
    ).toThrow(
      new UsageError(
        '--registry is required: give --registry [HOST=]URL, set the environment variable REGISTRY or set the key registry_mirror.remote in /etc/dragonfly/dfdaemon.yml',
      ),
    );
    expect(() => parseCommand(DFGET, [], { env: {} })).toThrow(
      new UsageError('--url is required: give --url URL (or -u URL)'),
    );
  });

  test.each([
    [[], 'the mode is missing: say apply, plan or check'],
    [['aply'], 'the mode must be apply, plan or check, not "aply"'],
    [['apply', 'plan'], 'unexpected argument "plan" after apply; modal takes one mode'],
  ])('with the arguments %j: %s', (argv, message) => {
    expect(() => parseCommand(MODAL, argv, { env: {} })).toThrow(new UsageError(message));
  });

  test.each([
    [[], 'the image is missing: say free IMAGE'],
    [[''], 'the image is missing: say free IMAGE'],
    [['a', 'b'], 'unexpected argument "b" after "a"; free takes one image'],
  ])('with the free arguments %j: %s', (argv, message) => {
    expect(() => parseCommand(FREE, argv, { env: {} })).toThrow(new UsageError(message));
  });

  test('is repeated on one line, cut, and without its secrets', () => {
    expect(() => example(['--registry', 'x://me:hidden@a/?token=hidden'])).toThrow(
      new UsageError('--registry must be an absolute http or https URL, not "x://[redacted]@a/?token=[redacted]"'),
    );
    expect(() => example([REGISTRY, '--ip', `1\n${'2'.repeat(200)}`])).toThrow(
      new UsageError(`--ip must be an IPv4 or IPv6 address, not "1\\n${'2'.repeat(118)}…"`),
    );
  });
});
