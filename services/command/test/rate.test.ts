import { parseCommand } from '@cdk8s-dragonfly/command';
import type { CommandSpec } from '@cdk8s-dragonfly/contract';

const SPEC = {
  name: 'try',
  summary: 'For tests.',
  flags: {
    rate: { flag: 'rate', type: 'rate', text: 'A rate.' },
    timeout: { flag: 'timeout', short: 'e', aliases: ['--exceed'], type: 'seconds', min: 1000, text: 'A time.' },
  },
} as const satisfies CommandSpec;

const parse = (...argv: string[]): object => parseCommand(SPEC, argv, { env: {} });

test.each([
  ['20M', 20 * 1024 * 1024],
  ['20m', 20 * 1024 * 1024],
  ['64K', 65_536],
  ['1k', 1024],
  ['1048576', 1_048_576],
  ['20MB', 20 * 1024 * 1024],
  ['20MiB', 20 * 1024 * 1024],
  ['2G', 2 * 1024 ** 3],
])('the rate %s is %d bytes a second', (text, bytes) => {
  expect(parse('--rate', text)).toEqual({ rate: bytes, timeout: undefined });
});

test.each(['0', '0M', '1.5M', '-1M', '20T', 'M', '20 M', '', '9999999999999999M'])('%j is no rate', (text) => {
  expect(() => parse(`--rate=${text}`)).toThrow(
    `--rate must be a rate such as 20M (a whole number above 0 of bytes a second, or with K, M or G for KiB, MiB or GiB), not ${JSON.stringify(text)}`,
  );
});

test.each([
  [['-e', '90'], 90_000],
  [['--exceed', '5m'], 300_000],
  [['--timeout=1500ms'], 1500],
])('the time %j is %d ms', (argv, ms) => {
  expect(parse(...argv)).toEqual({ rate: undefined, timeout: ms });
});

test.each(['0', '-1', 'soon', '999ms'])('%j is no time', (text) => {
  expect(() => parse(`-e=${text}`)).toThrow(
    /^--timeout must be a number of seconds, or a duration such as 1s \(a number with ms, s, m or h\), at least 1s, not "/,
  );
});
