import { DFGET } from '@cdk8s-dragonfly/contract';
import {
  idleSettings,
  parseCommand,
  readNodeConfig,
  resolveSupernodes,
  UsageError,
  type IdleSetting,
  type SupernodeAddress,
} from '../src';
import { memoryFiles } from './memory-files';

describe('a node file', () => {
  test.each<[string, SupernodeAddress[]]>([
    ['[node]\naddress=supernode\n', [{ host: 'supernode', port: 8002 }]],
    [
      '; nodes\n[node]\naddress = 10.0.0.1, b:80,[::1]:9\n',
      [
        { host: '10.0.0.1', port: 8002 },
        { host: 'b', port: 80 },
        { host: '::1', port: 9 },
      ],
    ],
    [
      '[node]\naddress=10.0.0.1=1,b:80=2\n',
      [
        { host: '10.0.0.1', port: 8002 },
        { host: 'b', port: 80 },
      ],
    ],
    ['[node]\r\naddress=a,\r\n', [{ host: 'a', port: 8002 }]],
    ['[node]\naddress=\n', []],
    ['[other]\naddress=a\n', []],
    ['', []],
  ])('%j', (text, nodes) => {
    expect(readNodeConfig(text)).toEqual(nodes);
  });

  test('with a wrong address is refused', () => {
    expect(() => readNodeConfig('[node]\naddress=a,http://b\n', '/etc/dragonfly.conf')).toThrow(
      new UsageError(
        'the key address in [node] of /etc/dragonfly.conf must be a list of HOST or HOST:PORT (IPv6 in brackets), not "http://b"',
      ),
    );
  });

  test('with an address that has no value is refused', () => {
    expect(() => readNodeConfig('[node]\naddress\n', '/etc/dragonfly.conf')).toThrow(
      new UsageError('the key address in [node] of /etc/dragonfly.conf has no value: write address=HOST[:PORT],…'),
    );
  });
});

describe('the supernodes', () => {
  const files = { '/etc/dragonfly.conf': '[node]\naddress=default', '/named.conf': '[node]\naddress=named:1' };

  function supernodes(argv: readonly string[], readFile = memoryFiles(files)): readonly SupernodeAddress[] {
    return resolveSupernodes(parseCommand(DFGET, ['-u', 'http://a/b', ...argv], { env: {} }), {
      readFile,
      dfgetConfig: '/dfget.yml',
    });
  }

  test('of --node win', () => {
    expect(supernodes(['-n', 'a,b:1', '--node-config', '/none'])).toEqual([
      { host: 'a', port: 8002 },
      { host: 'b', port: 1 },
    ]);
  });

  test('come from the file that is named, else from the default one', () => {
    expect(supernodes(['--node-config', '/named.conf'])).toEqual([{ host: 'named', port: 1 }]);
    expect(supernodes([])).toEqual([{ host: 'default', port: 8002 }]);
  });

  test.each(['', '[node]\naddress=\n'])("are those of dfget's file when the node file is %j", (text) => {
    const nodes = 'workHome: /w\nnodes: [a, 127.0.0.1:18002]\nany.other: {key: b}\n';
    const readFile = memoryFiles({ '/dfget.yml': nodes, '/named.conf': text, '/etc/dragonfly.conf': text });
    expect(supernodes([], readFile)).toEqual([
      { host: 'a', port: 8002 },
      { host: '127.0.0.1', port: 18002 },
    ]);
    expect(supernodes(['--node-config', '/named.conf'], readFile)).toEqual([]);
  });

  describe('with weights, as Dragonfly 1.0 writes them', () => {
    const why = 'the first supernode that answers is asked, in the order in which they stand';

    function told(files: Readonly<Record<string, string>>): readonly [readonly SupernodeAddress[], IdleSetting[]] {
      const settings: IdleSetting[] = [];
      const readFile = memoryFiles(files);
      const tell = (setting: IdleSetting): void => void settings.push(setting);
      const values = parseCommand(DFGET, ['-u', 'http://a/b'], { env: {}, readFile });
      return [resolveSupernodes(values, { readFile, dfgetConfig: '/dfget.yml', tell }), settings];
    }

    test.each([
      [{ '/dfget.yml': 'nodes: [127.0.0.1=1, "b:80=2"]' }, 'the weight =1, =2 in the key nodes in /dfget.yml'],
      [
        { '/etc/dragonfly.conf': '[node]\naddress=127.0.0.1=1,b:80=2\n' },
        'the weight =1, =2 in the key address in [node] of /etc/dragonfly.conf',
      ],
    ])('are taken from %j without them, and that is told', (files, where) => {
      const nodes = [
        { host: '127.0.0.1', port: 8002 },
        { host: 'b', port: 80 },
      ];
      expect(told(files)).toEqual([nodes, [{ where, why }]]);
    });

    test('are taken from --node and the configuration file', () => {
      const readFile = memoryFiles({ '/etc/dragonfly/dfget.yml': 'nodes: ["[::1]:9=3"]' });
      const url = ['-u', 'http://a/b'];
      const ofFlag = parseCommand(DFGET, [...url, '--node=a=2,b:1=2,c'], { env: {}, readFile });
      expect(ofFlag.node).toEqual([{ host: 'a' }, { host: 'b', port: 1 }, { host: 'c' }]);
      expect(idleSettings(ofFlag)).toEqual([{ where: 'the weight =2 in --node', why }]);
      const ofFile = parseCommand(DFGET, url, { env: {}, readFile });
      expect(ofFile.node).toEqual([{ host: '::1', port: 9 }]);
      expect(idleSettings(ofFile)).toEqual([
        { where: 'the weight =3 in the key nodes in /etc/dragonfly/dfget.yml', why },
      ]);
    });

    test('are told of by nobody when there are none', () => {
      expect(told({ '/etc/dragonfly.conf': '[node]\naddress=a,b:80\n' })[1]).toEqual([]);
    });

    test.each([
      [['-n', 'a=x'], '--node must be HOST or HOST:PORT (IPv6 in brackets, port 1 to 65535), not "a=x"'],
      [
        ['--allow-origin', 'a=2'],
        '--allow-origin must be HOST or HOST:PORT (IPv6 in brackets, port 1 to 65535), not "a=2"',
      ],
    ])('are nothing else: %j is refused', (argv, message) => {
      expect(() => parseCommand(DFGET, ['-u', 'http://a/b', ...argv], { env: {} })).toThrow(new UsageError(message));
    });
  });

  test("are those of the node file, whatever dfget's file says", () => {
    expect(supernodes([], memoryFiles({ ...files, '/dfget.yml': 'nodes: [a]' }))).toEqual([
      { host: 'default', port: 8002 },
    ]);
  });

  test("are refused when those of dfget's file are wrong", () => {
    expect(() => supernodes([], memoryFiles({ '/dfget.yml': 'nodes: ["http://a"]' }))).toThrow(
      new UsageError(
        'the key nodes in /dfget.yml must be HOST or HOST:PORT (IPv6 in brackets, port 1 to 65535), not "http://a"',
      ),
    );
  });

  test('are none when the default file is missing', () => {
    expect(supernodes([], memoryFiles())).toEqual([]);
  });

  test.each(['/none.conf', '/etc/dragonfly.conf'])('are an error when %s is named and missing', (path) => {
    expect(() => supernodes(['--node-config', path], memoryFiles())).toThrow(
      new UsageError(`${path}, named by --node-config, does not exist`),
    );
  });
});
