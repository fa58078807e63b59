import { parseChallenge } from '@cdk8s-dragonfly/origin';
import { imageUrl } from '../../src/preheat/image-url';
import { inParallel } from '../../src/preheat/in-parallel';
import { originalTime } from '../../src/preheat/original-time';
import { fits, formatPlatform, parsePlatform } from '../../src/preheat/platform';

const HEX = 'a'.repeat(64);

test.each([
  ['nginx', 'https://registry-1.docker.io/v2/library/nginx/manifests/latest'],
  ['nginx:1.25', 'https://registry-1.docker.io/v2/library/nginx/manifests/1.25'],
  ['team/app', 'https://registry-1.docker.io/v2/team/app/manifests/latest'],
  ['docker.io/library/nginx:1.25', 'https://registry-1.docker.io/v2/library/nginx/manifests/1.25'],
  ['index.docker.io/nginx', 'https://registry-1.docker.io/v2/library/nginx/manifests/latest'],
  ['quay.io/a/b/c:v1', 'https://quay.io/v2/a/b/c/manifests/v1'],
  [`ghcr.io/a/b@sha256:${HEX}`, `https://ghcr.io/v2/a/b/manifests/sha256:${HEX}`],
  [`ghcr.io/a/b:v1@sha256:${HEX}`, `https://ghcr.io/v2/a/b/manifests/sha256:${HEX}`],
  ['localhost/a', 'http://localhost/v2/a/manifests/latest'],
  ['127.0.0.1:5000/a/b:c', 'http://127.0.0.1:5000/v2/a/b/manifests/c'],
  ['10.0.0.1:5000/a', 'https://10.0.0.1:5000/v2/a/manifests/latest'],
  ['[::1]:5000/a', 'http://[::1]:5000/v2/a/manifests/latest'],
  ['http://r:5000/v2/a/b/manifests/1', 'http://r:5000/v2/a/b/manifests/1'],
  [`https://r/v2/a/manifests/sha256%3A${HEX}`, `https://r/v2/a/manifests/sha256%3A${HEX}`],
])('the manifest of %s is at %s', (image, url) => {
  expect(imageUrl(image)?.manifest.href).toBe(url);
  expect(imageUrl(image)?.repository.href).toBe(url.replace(/manifests\/.*$/, ''));
});

test.each([
  '',
  'UPPER',
  'a b',
  'nginx:',
  'nginx:a/b',
  'nginx@sha256:12',
  `nginx@sha512:${HEX}`,
  '../x',
  'quay.io/../x',
  'quay.io/a/b/../../c',
  'evil.test@quay.io/a',
  'quay.io:99999/a',
  'a'.repeat(300),
  'ftp://r/v2/a/manifests/1',
  'http://u:p@r/v2/a/manifests/1',
  'http://r/v2/a/blobs/1',
  'http://r/v2/manifests/1',
  'http://r/x/v2/a/manifests/1',
  'http://r/v2/a%2fb/manifests/1',
])('%j is no image', (image) => {
  expect(imageUrl(image)).toBeUndefined();
});

test('platforms are read and compared as image indexes mean them', () => {
  const platform = (text: string): NonNullable<ReturnType<typeof parsePlatform>> => {
    const parsed = parsePlatform(text);
    if (parsed === undefined) throw new Error(text);
    return parsed;
  };
  expect(['linux', 'linux/', 'linux/amd64/', 'Linux/amd64', 'a/b/c/d', ''].map(parsePlatform)).toEqual(
    Array.from({ length: 6 }, () => undefined),
  );
  expect(formatPlatform(platform('linux/arm/v7'))).toBe('linux/arm/v7');
  const cases: [string, string, boolean][] = [
    ['linux/amd64', 'linux/amd64', true],
    ['linux/amd64', 'windows/amd64', false],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm/v6', 'linux/arm', true],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/arm', 'linux/arm/v7', true],
  ];
  for (const [offered, wanted, is] of cases) {
    expect([offered, wanted, fits(platform(offered), platform(wanted))]).toEqual([offered, wanted, is]);
  }
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['Negotiate', undefined],
  ['Bearer realm="not a url"', undefined],
  ['Basic realm="x"', { scheme: 'basic' }],
  [
    'bearer REALM="https://auth.test/t",service="a, \\"b\\"",scope=x',
    { scheme: 'bearer', realm: new URL('https://auth.test/t'), service: 'a, "b"', scope: 'x' },
  ],
  [
    'Basic realm="x", Bearer realm="https://auth.test/t",error="invalid_token"',
    { scheme: 'bearer', realm: new URL('https://auth.test/t'), service: undefined, scope: undefined },
  ],
])('the challenge %j is %j', (header, challenge) => {
  expect(parseChallenge(header)).toEqual(challenge);
});

test('times are those of the original', () => {
  expect(originalTime(Date.UTC(2019, 11, 31, 16, 0, 1))).toBe('2020-01-01 00:00:01');
});

test('a failure waits for what was begun beside it, and begins nothing more', async () => {
  const done: number[] = [];
  const work = async (item: number): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (item === 1) throw new Error('one');
    await new Promise((resolve) => setImmediate(resolve));
    done.push(item);
  };
  await expect(inParallel([0, 1, 2, 3, 4], 2, work)).rejects.toThrow('one');
  expect(done).toEqual([0]);
  await inParallel([5, 6, 7], 2, work);
  expect(done).toEqual([0, 5, 6, 7]);
});
