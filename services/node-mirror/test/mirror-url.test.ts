import { UsageError } from '@cdk8s-dragonfly/command';
import { mirrorUrl, sameMirror } from '../src/mirror-url';

test.each([
  ['http://127.0.0.1:65001', 'http://127.0.0.1:65001'],
  ['http://127.0.0.1:65001/', 'http://127.0.0.1:65001'],
  ['https://mirror.example/path/', 'https://mirror.example/path'],
])('%s is written as %s', (given, written) => {
  expect(mirrorUrl(given)).toBe(written);
});

test.each(['ftp://a', '127.0.0.1:65001', '', 'http://u:secret@a', 'http://a?x=1', 'http://a#x', 'http://a/?'])(
  '%s is refused',
  (given) => {
    expect(() => mirrorUrl(given)).toThrow(UsageError);
    expect(() => mirrorUrl(given)).not.toThrow(/secret/);
  },
);

test('mirrors are compared without their spelling', () => {
  expect(sameMirror('http://a:1', 'HTTP://A:1/')).toBe(true);
  expect(sameMirror('http://a:1', 'https://a:1')).toBe(false);
});
