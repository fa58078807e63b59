import { createLog, withoutSecrets, type LogLevel } from '../src';

function logged(level: LogLevel = 'info'): {
  readonly log: ReturnType<typeof createLog>;
  readonly lines: () => unknown[];
} {
  const written: string[] = [];
  const log = createLog(level, 'example', { write: (text) => void written.push(text) });
  return { log, lines: () => written.map((line): unknown => JSON.parse(line)) };
}

describe('a log', () => {
  test('is JSON, a line an entry', () => {
    const { log, lines } = logged();
    log.info({ blob: 'a' }, 'joined');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        name: 'example',
        blob: 'a',
        msg: 'joined',
      },
    ]);
  });

  test('leaves out what weighs less than its level', () => {
    const { log, lines } = logged('warn');
    log.info('a');
    log.warn('b');
    expect(lines()).toEqual([expect.objectContaining({ msg: 'b' })]);
  });

  test('shows no secrets, wherever they stand', () => {
    const { log, lines } = logged();
    const child = log.child({ accessToken: 'hidden', peer: 'a' });
    const headers = { Authorization: 'hidden', 'set-cookie': ['hidden'], 'X-Registry-Token': 'hidden', accept: '*/*' };
    child.info(
      { request: { deep: [{ headers }] }, password: 'hidden' },
      'sent Bearer hidden to http://me:hidden@a/b?sig=hidden&c=1',
    );
    expect(JSON.stringify(lines())).not.toContain('hidden');
    expect(lines()).toEqual([
      expect.objectContaining({
        accessToken: '[redacted]',
        peer: 'a',
        password: '[redacted]',
        request: {
          deep: [
            {
              headers: {
                Authorization: '[redacted]',
                'set-cookie': '[redacted]',
                'X-Registry-Token': '[redacted]',
                accept: '*/*',
              },
            },
          ],
        },
        msg: 'sent Bearer [redacted] to http://[redacted]@a/b?sig=[redacted]&c=1',
      }),
    ]);
  });

  test('shows no secrets of errors and their causes', () => {
    const { log, lines } = logged();
    const cause = Object.assign(new Error('asked https://a/?X-Amz-Signature=hidden'), { authorization: 'hidden' });
    log.error({ err: new Error('no answer to Basic hidden', { cause }) }, 'failed');
    expect(JSON.stringify(lines())).not.toContain('hidden');
    expect(lines()).toEqual([expect.objectContaining({ level: 'error', msg: 'failed' })]);
  });
});

test.each([
  [
    'https://registry.test/v2/a/blobs/sha256:ab?ns=docker.io',
    'https://registry.test/v2/a/blobs/sha256:ab?ns=docker.io',
  ],
  ['http://u:p@h/', 'http://[redacted]@h/'],
  [
    'http://h/?a=1&X-Amz-Credential=c%2F&X-Amz-Signature=s#f',
    'http://h/?a=1&X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]#f',
  ],
  ['/a?b=?token=hidden', '/a?b=?token=[redacted]'],
  ['/a?b?token?c=hidden&d=e', '/a?b?token?c=[redacted]&d=e'],
  ['/a?key==hidden?b=c', '/a?key=[redacted]'],
  ['/a?key=hidden#?sig=hidden\\n?b=c', '/a?key=[redacted]#?sig=[redacted]\\n?b=c'],
  ['"/a?passwd=hidden" &secret=hidden /a?KEY= b', '"/a?passwd=[redacted]" &secret=[redacted] /a?KEY= b'],
  ['token=a key=b ?c=key ?key', 'token=a key=b ?c=key ?key'],
  ['authorization: bearer abc.def-_~+/==, x', 'authorization: bearer [redacted], x'],
])('%s is shown as %s', (text, shown) => {
  expect(withoutSecrets(text)).toBe(shown);
});

test.each(['?key', '?key=', '&key', '?', '?a=', '=', '//', 'Bearer ', ' ', 'Basic\t\t'])(
  'takes no longer for each character of a long text of %j than of a short one',
  (part) => {
    const took = (bytes: number): number => {
      const text = part.repeat(bytes / part.length);
      const before = performance.now();
      withoutSecrets(text);
      return performance.now() - before;
    };
    took(240_000);
    // Of a square, 240 KB take minutes; of a cube, years.
    expect(took(240_000)).toBeLessThan(500);
  },
);
