import { DFDAEMON, DFGET, SUPERNODE, type CommandSpec } from '@cdk8s-dragonfly/contract';
import { helpText, idleSettings, parseCommand, runCommand, UsageError, type CommandValues } from '../src';
import { FakeHost } from './fake-host';
import { memoryFiles } from './memory-files';

const MIB = 1024 * 1024;
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
      systemBandwidth: 30 * MIB,
      maxBandwidth: 200 * MIB,
      debug: true,
      advertiseIp: '192.0.2.1',
      failAccessInterval: 180_000,
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
      `the key base.maxBandwidth in ${FILE} must be a whole number of MiB a second from 1 to 1000000, or a rate with its unit such as 20M, not "fast"`,
    ],
    [
      'base: {maxBandwidth: 209715200}',
      `the key base.maxBandwidth in ${FILE} must be a whole number of MiB a second from 1 to 1000000, or a rate with its unit such as 20M, not "209715200"`,
    ],
    [
      'base: {systemReservedBandwidth: 20971520}',
      `the key base.systemReservedBandwidth in ${FILE} must be a whole number of MiB a second from 0 to 1000000, or a rate with its unit such as 20M, not "20971520"`,
    ],
    [
      'base: {failAccessInterval: 2d}',
      `the key base.failAccessInterval in ${FILE} must be a number of minutes, or a duration such as 1s (a number with ms, s, m or h) from 0ms to 24h, not "2d"`,
    ],
  ])('%j is refused', (file, message) => {
    expect(() => supernode([], file)).toThrow(new UsageError(message));
  });
});

/** What `config default` of Dragonfly 1.0 prints has all keys of `base`; its template has those that stand beside comments there. */
const FILE_OF_1_0 = `
base:
  cdnPattern: ""
  listenPort: 8002
  downloadPort: 8001
  homeDir: /home/admin/supernode
  schedulerCorePoolSize: 10
  downloadpath: /home/admin/supernode/repo/download
  peerUpLimit: 5
  peerDownLimit: 4
  eliminationLimit: 5
  failureCountLimit: 5
  linkLimit: 20MB
  systemReservedBandwidth: 20MB
  maxBandwidth: 200M
  enableProfiler: false
  debug: false
  advertiseIP: ""
  failAccessInterval: 3m0s
  gcInitialDelay: 6s
  gcMetaInterval: 2m0s
  taskExpireTime: 3m0s
  peerExpireTime: 120
  peerGCDelay: 3m0s
  gcDiskInterval: 15s
  youngGCThreshold: 100GB
  fullGCThreshold: 5GB
  IntervalThreshold: 2h0m0s
  maxSeedPerObject: 64
  cleanratio: 1
  logConfig:
    maxSize: 40
    maxBackups: 1
    path: ""
plugins: {}
storages: {}
`;

describe('the supernode.yml of Dragonfly 1.0', () => {
  test('is read whole, with rates and durations as it writes them', () => {
    expect(supernode([], FILE_OF_1_0)).toMatchObject({
      systemBandwidth: 20 * MIB,
      maxBandwidth: 200 * MIB,
      failAccessInterval: 180_000,
    });
  });

  test('tells of collecting garbage that it does nothing', () => {
    const idle = idleSettings(supernode([], FILE_OF_1_0)).map(({ where }) => where);
    const collecting = ['gcInitialDelay', 'gcMetaInterval', 'taskExpireTime', 'peerGCDelay', 'gcDiskInterval'];
    const thresholds = ['youngGCThreshold', 'fullGCThreshold', 'IntervalThreshold'];
    expect(idle).toEqual(
      expect.arrayContaining([...collecting, ...thresholds].map((key) => `the key base.${key} in ${FILE}`)),
    );
  });

  test('has flags of its own', () => {
    const argv = ['--max-bandwidth', '200MB', '--system-bandwidth=512K', '--fail-access-interval', '1m30s'];
    const idle = ['--gc-initial-delay', '--gc-meta-interval', '--task-expire-time', '--peer-gc-delay'];
    const values = supernode([...argv, ...idle.flatMap((flag) => [flag, '6s']), '--cdn-pattern', 'local']);
    expect(values).toMatchObject({
      maxBandwidth: 200 * MIB,
      systemBandwidth: MIB / 2,
      failAccessInterval: 90_000,
    });
    expect(
      idleSettings(values)
        .map(({ where }) => where)
        .sort(),
    ).toEqual(['--cdn-pattern', ...idle].sort());
  });
});

describe("the files of Dragonfly 1.0's clients", () => {
  test('dfdaemon.yml: where it logs, works and listens for others does nothing', () => {
    const file =
      'workHome: /w\nlogConfig: {path: /dev/stdout}\nlocalIP: 192.0.2.1\npeerPort: 15001\nstreamMode: true\nsupernodes: [a]';
    const readFile = memoryFiles({ '/etc/dragonfly/dfdaemon.yml': file });
    const values = parseCommand(DFDAEMON, ['--registry', 'https://a.test'], { env: {}, readFile });
    expect(values).toMatchObject({ node: [{ host: 'a' }], peerPort: 15_001 });
    expect(idleSettings(values).map(({ where }) => where.split(' ')[2])).toEqual([
      'localIP',
      'logConfig',
      'workHome',
      'streamMode',
      'peerPort',
    ]);
  });

  test('dfget.yml: workHome is --home', () => {
    const readFile = memoryFiles({ '/etc/dragonfly/dfget.yml': 'workHome: /w\nlogConfig: {path: ""}\nminRate: 512' });
    const values = parseCommand(DFGET, ['-u', 'http://a.test/b'], { env: {}, readFile });
    expect(values.home).toBe('/w');
    expect(idleSettings(values).map(({ where }) => where.split(' ')[2])).toEqual(['logConfig', 'minRate']);
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
      systemBandwidth: MIB,
      maxBandwidth: 9 * MIB,
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
