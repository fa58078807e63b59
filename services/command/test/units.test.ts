import fc from 'fast-check';
import { formatAddress, formatBytes, formatDuration, parseDuration, readAddress, UsageError } from '../src';
import { writeDuration } from '../src/duration';
import { readSize, writeSize } from '../src/size';

const WHOLE = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['1KiB', 1024],
    ['64MiB', 67_108_864],
    ['2GiB', 2_147_483_648],
    ['1TiB', 1_099_511_627_776],
  ])('%s is %i bytes', (text, bytes) => {
    expect(readSize(text)).toBe(bytes);
  });

  test.each(['', '1MB', '1.5MiB', '-1', '1 MiB', '1mib', 'MiB', '9007199254740992', '99999999TiB'])(
    '%j is none',
    (text) => {
      expect(readSize(text)).toBeUndefined();
    },
  );

  test('are read as they are written', () => {
    fc.assert(fc.property(WHOLE, (bytes) => readSize(writeSize(bytes)) === bytes));
  });

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [150 * 1024, '150 KiB'],
    [1024 * 1024 - 1, '1 MiB'],
    [67_108_864, '64 MiB'],
    [5.25 * 1024 ** 3, '5.3 GiB'],
    [2 * 1024 ** 4, '2 TiB'],
  ])('%i bytes are shown as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test('are never shown as 1024 of a unit that has a larger one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1024 ** 4 }), (bytes) => !/^10(?:2[4-9]|[3-9]\d)/.test(formatBytes(bytes))),
    );
  });
});

describe('durations', () => {
  test.each([
    ['0s', 0],
    ['250ms', 250],
    ['1s', 1000],
    ['1.5s', 1500],
    ['1.1s', 1100],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['3m0s', 180_000],
    ['2h0m0s', 7_200_000],
    ['1m1.5s250ms', 61_750],
  ])('%s is %i milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(['', '1', 's', '-1s', '1 s', '1S', '1.s', '1s1m', '1s1s', '3m0', '99999999999999h'])(
    '%j is none',
    (text) => {
      expect(() => parseDuration(text)).toThrow(
        new UsageError(`"${text}" is not a duration such as 1s (a number with ms, s, m or h)`),
      );
    },
  );

  test('are read as they are written', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (ms) => parseDuration(writeDuration(ms)) === ms));
  });

  test.each([
    [0, '0 ms'],
    [350.4, '350 ms'],
    [999.6, '1 s'],
    [1234, '1.2 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min'],
    [65_000, '1 min 5 s'],
    [3_599_600, '1 h'],
    [7_380_000, '2 h 3 min'],
  ])('%f milliseconds are shown as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

describe('addresses', () => {
  test.each([
    ['supernode', { host: 'supernode' }],
    ['supernode.kube-system.svc:8002', { host: 'supernode.kube-system.svc', port: 8002 }],
    ['my_host.', { host: 'my_host.' }],
    ['10.0.0.1:1', { host: '10.0.0.1', port: 1 }],
    ['[2001:db8::1]', { host: '2001:db8::1' }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('%s', (text, address) => {
    expect(readAddress(text)).toEqual(address);
  });

  test.each([
    '',
    ':80',
    'a:',
    'a:65536',
    'a:b',
    '::1',
    '[a]:1',
    '[::1',
    'a/b',
    '-a',
    'a..b',
    '300.1.1.1',
    'http://a',
    'a'.repeat(64),
  ])('%j is none', (text) => {
    expect(readAddress(text)).toBeUndefined();
  });

  test('are written with brackets around IPv6', () => {
    expect([formatAddress('::1', 80), formatAddress('a', 80)]).toEqual(['[::1]:80', 'a:80']);
  });
});
