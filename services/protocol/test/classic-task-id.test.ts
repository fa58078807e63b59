import { filterUrl, taskIdOf } from '@cdk8s-dragonfly/protocol';

describe('the task id', () => {
  it.each([
    ['file25m.bin', {}, '51fc087966e6cb734023f1e45a2f1d92c2bd81c6bee95f6b9aad5a5b4782b219'],
    ['small.bin', {}, 'dabe64171c70b371238132ba1110cce7014e151da6c5051bd154bad795836ab5'],
    ['small.bin', { identifier: 'abc' }, 'b98e39d1a2140f49e7d32620c92b51aea83b98c0cdd2cb6bbe0acd2519e87967'],
    [
      'small.bin',
      { md5: 'f7d1cba0e034cf5acbfdd12d2b56c605' },
      '2672ae8df8b14e8076b780f9282f64f82e2c0cafbaaec5286fed28f04571f6ec',
    ],
    ['sig/small.bin?a=1&b=2', {}, 'b91eadfe2186d294bb9b5944e8059eb79e92a64c2c61765907894fc653f14bf6'],
  ])('of %s with %j is that of the original', (file, sign, taskId) => {
    expect(taskIdOf({ taskUrl: `http://127.0.0.1:9000/${file}`, ...sign })).toBe(taskId);
  });

  it('takes the MD5 before the identifier, and empty ones as none', () => {
    const taskUrl = 'http://127.0.0.1:9000/small.bin';
    expect(taskIdOf({ taskUrl, md5: 'm', identifier: 'i' })).toBe(taskIdOf({ taskUrl, md5: 'm' }));
    expect(taskIdOf({ taskUrl, md5: '', identifier: 'i' })).toBe(taskIdOf({ taskUrl, identifier: 'i' }));
    expect(taskIdOf({ taskUrl, md5: '', identifier: '' })).toBe(taskIdOf({ taskUrl }));
  });
});

describe('the filter', () => {
  it.each([
    ['http://h/x?a=1&b=2&c=3', 'b', 'http://h/x?a=1&c=3'],
    ['http://h/x?a=1&b=2&c=3', 'c&a', 'http://h/x?b=2'],
    ['http://h/x?a=1&A=2&a', 'a', 'http://h/x?A=2'],
    ['http://h/x?a=%41?b&b=c=d', 'x', 'http://h/x?a=%41?b&b=c=d'],
    ['http://h/x?a=1', '', 'http://h/x?a=1'],
    ['http://h/x?', 'a', 'http://h/x?'],
    ['http://h/x', 'a', 'http://h/x'],
  ])('of %s by %j gives %s in both styles', (url, filter, expected) => {
    expect(filterUrl(url, filter, 'go')).toBe(expected);
    expect(filterUrl(url, filter, 'python')).toBe(expected);
  });

  it('keeps a lonely question mark in the Python style only', () => {
    expect(filterUrl('http://h/x?a=1&b=2', 'a&b')).toBe('http://h/x');
    expect(filterUrl('http://h/x?a=1&b=2', 'a&b', 'python')).toBe('http://h/x?');
  });
});
