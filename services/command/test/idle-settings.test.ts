import { SUPERNODE, type CommandSpec } from '@cdk8s-dragonfly/contract';
import { helpText, idleSettings, parseCommand, runCommand, UsageError, type CommandValues } from '../src';
import { FakeHost } from './fake-host';
import { memoryFiles } from './memory-files';

const FILE = '/etc/dragonfly/supernode.yml';

/** A file as an installation of the original has it: every key of the original's `base`, and its other parts. */
const ORIGINAL_FILE = `
# supernode.yml
base:
  listenPort: 9002
  downloadPort: 9001
  homeDir: /srv/supernode
  downloadPath: /srv/supernode/repo/download
  schedulerCorePoolSize: 10
  peerUpLimit: 5
  peerDownLimit: 4
  eliminationLimit: 5
  failureCountLimit: 5
  linkLimit: 20
  systemReservedBandwidth: 30
  maxBandwidth: 200
  enableProfiler: false
  debug: true
  advertiseIP: 192.0.2.1
  failAccessInterval: 3
plugins:
  storage:
    - name: local
      enabled: true
      config: "baseDir: /srv"
storages:
  - local
`;

function supernode(argv: readonly string[], file?: string): CommandValues<typeof SUPERNODE> {
  const readFile = memoryFiles(file === undefined ? {} : { [FILE]: file });
  return parseCommand(SUPERNODE, argv, { env: {}, readFile });
}

describe("the original's supernode.yml", () => {
  test('is read whole', () => {
    expect(supernode([], ORIGINAL_FILE)).toMatchObject({
      port: 9002,
      downloadPort: 9001,
      homeDir: '/srv/supernode',
      systemBandwidth: 30,
      maxBandwidth: 200,
      debug: true,
      advertiseIp: '192.0.2.1',
      failAccessInterval: 3,
    });
  });

  test('tells what of it does nothing', () => {
    const idle = idleSettings(supernode([], ORIGINAL_FILE)).map(({ where }) => where);
    const keys = ['downloadPath', 'schedulerCorePoolSize', 'enableProfiler', 'peerUpLimit', 'peerDownLimit'];
    const ignored = ['base.eliminationLimit', 'base.failureCountLimit', 'base.linkLimit', 'plugins', 'storages'];
    expect(idle.sort()).toEqual(
      [...keys.map((key) => `base.${key}`), ...ignored].map((key) => `the key ${key} in ${FILE}`).sort(),
    );
  });

  test('may leave out the address and the folder, as its template does', () => {
    const values = supernode([], 'base:\n  advertiseIP: ""\n  homeDir:\n  downloadPath: ""\n');
    expect([values.advertiseIp, values.homeDir, values.downloadPath]).toEqual([
      undefined,
      '/home/admin/supernode',
      undefined,
    ]);
    expect(idleSettings(values)).toEqual([]);
  });

  test.each([
    ['base: {listenport: 1}', `unknown key base.listenport in ${FILE}; did you mean base.listenPort?`],
    ['base: {advertiseIp: 192.0.2.1}', `unknown key base.advertiseIp in ${FILE}; did you mean base.advertiseIP?`],
    ['plugin: {}', `unknown key plugin in ${FILE}; did you mean plugins?`],
    ['base: {linkLimits: 20}', `unknown key base.linkLimits in ${FILE}; did you mean base.linkLimit?`],
    [
      'base: {maxBandwidth: fast}',
      `the key base.maxBandwidth in ${FILE} must be a whole number, at least 1, not "fast"`,
    ],
  ])('%j is refused', (file, message) => {
    expect(() => supernode([], file)).toThrow(new UsageError(message));
  });
});

describe("the original's command line", () => {
  test('is taken, and wins over the file', () => {
    const argv = ['-port', '1', '--download-port=2', '--home-dir', '/h', '--download-path', '/d', '-D'];
    const more = ['--system-bandwidth', '1', '--max-bandwidth', '9', '--pool-size', '3', '--profiler'];
    const limits = ['--up-limit', '6', '--down-limit', '7', '--advertise-ip', '198.51.100.1'];
    expect(supernode([...argv, ...more, ...limits], ORIGINAL_FILE)).toMatchObject({
      port: 1,
      downloadPort: 2,
      homeDir: '/h',
      downloadPath: '/d',
      debug: true,
      systemBandwidth: 1,
      maxBandwidth: 9,
      poolSize: 3,
      profiler: true,
      upLimit: 6,
      downLimit: 7,
      advertiseIp: '198.51.100.1',
    });
  });

  test('has no limit to bandwidth unless it is given', () => {
    expect(supernode([]).maxBandwidth).toBeUndefined();
  });
});

const IDLE: CommandSpec = {
  name: 'idle',
  summary: 'Has settings without effect.',
  flags: {
    config: { flag: 'config', type: 'path', default: '/idle.yml', text: 'The settings.' },
    pool: { flag: 'pool', type: 'integer', key: 'pool', noEffect: 'there is none', text: 'The pool.' },
    debug: { flag: 'debug', type: 'boolean', default: 'false', text: 'More lines.' },
  },
  ignoredKeys: [{ key: 'parts.plugins', text: 'there are none' }],
};

test('what does nothing is told once in the log, and in the help', async () => {
  const host = new FakeHost(['--pool=4'], {}, { '/idle.yml': 'parts: {plugins: [{a: b}]}' });
  expect(await runCommand(IDLE, () => Promise.resolve(3), host)).toBe(3);
  const lines = host.err.trim().split('\n');
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    {
      level: 'warn',
      time: expect.any(String) as string,
      name: 'idle',
      settings: ['the key parts.plugins in /idle.yml: there are none', '--pool: there is none'],
      msg: 'accepted, but without effect',
    },
  ]);
  expect(helpText(IDLE)).toContain('The pool. (no effect: there is none; key pool)');
  expect(helpText(IDLE)).toContain('Keys of the configuration file without effect:\n  parts.plugins  there are none\n');
});

test.each([
  [[], 'info'],
  [['--debug'], 'debug'],
])('with %j the log has lines from %s', async (argv, level) => {
  const host = new FakeHost(argv, {}, {});
  const main = async (_values: unknown, { log }: { log: { level: string } }): Promise<number> => {
    expect(log.level).toBe(level);
    return Promise.resolve(0);
  };
  expect(await runCommand(IDLE, main, host)).toBe(0);
});
