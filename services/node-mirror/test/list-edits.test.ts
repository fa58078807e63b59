import { MIRRORS, withEmptyList, withEntry, withoutEntry } from '../src/docker/list-edits';

const PATH = '/etc/docker/daemon.json';
const M = 'http://127.0.0.1:65001';

describe('the mirror comes first, and nothing else changes', () => {
  test.each<[string, string, string, string]>([
    ['nothing', '', `{\n  "registry-mirrors": ["${M}"]\n}\n`, 'added'],
    ['blanks', ' \n\t\r\n', `{\n  "registry-mirrors": ["${M}"]\n}\n`, 'added'],
    ['an empty object', '{}', `{\n  "registry-mirrors": ["${M}"]\n}`, 'added'],
    ['an empty object of Windows', '{\r\n}\r\n', `{\r\n  "registry-mirrors": ["${M}"]\r\n}\r\n`, 'added'],
    ['one line', '{"debug": true}', `{"debug": true, "registry-mirrors": ["${M}"]}`, 'added'],
    [
      'one line without blanks',
      '{"debug":true,"a":1}\n',
      `{"debug":true,"a":1,"registry-mirrors":["${M}"]}\n`,
      'added',
    ],
    ['one airy line', '{ "debug" : true }', `{ "debug" : true, "registry-mirrors" : ["${M}"] }`, 'added'],
    [
      'several lines',
      '{\n    "debug": true,\n    "mtu": 1.50e3\n}\n',
      `{\n    "debug": true,\n    "mtu": 1.50e3,\n    "registry-mirrors": ["${M}"]\n}\n`,
      'added',
    ],
    [
      'tabs and no final newline',
      '{\n\t"debug": true\n}',
      `{\n\t"debug": true,\n\t"registry-mirrors": ["${M}"]\n}`,
      'added',
    ],
    [
      'Windows lines',
      '{\r\n  "debug": true\r\n}\r\n',
      `{\r\n  "debug": true,\r\n  "registry-mirrors": ["${M}"]\r\n}\r\n`,
      'added',
    ],
    ['commas at the front', '{ "a": 1\n, "b": 2\n}', `{ "a": 1\n, "b": 2, "registry-mirrors": ["${M}"]\n}`, 'added'],
    ['a value on its own line', '{\n"a":\n  1\n}', `{\n"a":\n  1,\n"registry-mirrors": ["${M}"]\n}`, 'added'],
    ['an empty list', '{"registry-mirrors": [ ], "a": 1}', `{"registry-mirrors": ["${M}"], "a": 1}`, 'added'],
    ['a foreign mirror', '{"registry-mirrors": ["http://a/"]}', `{"registry-mirrors": ["${M}", "http://a/"]}`, 'added'],
    [
      'a foreign mirror without blanks',
      '{"registry-mirrors":["http://a/"]}',
      `{"registry-mirrors":["${M}","http://a/"]}`,
      'added',
    ],
    [
      'two foreign mirrors',
      '{"registry-mirrors": ["http://a",   "http://b"]}',
      `{"registry-mirrors": ["${M}",   "http://a",   "http://b"]}`,
      'added',
    ],
    [
      'foreign mirrors in lines',
      '{\n "registry-mirrors": [\n  "http://a"\n ]\n}',
      `{\n "registry-mirrors": [\n  "${M}",\n  "http://a"\n ]\n}`,
      'added',
    ],
    ['an escaped key', '{"registry\\u002dmirrors": []}', `{"registry\\u002dmirrors": ["${M}"]}`, 'added'],
    ['the mirror itself', `{"registry-mirrors": ["${M}"]}`, `{"registry-mirrors": ["${M}"]}`, 'kept'],
    [
      'the mirror with a slash',
      `{"registry-mirrors": ["${M}/", "http://a"]}`,
      `{"registry-mirrors": ["${M}/", "http://a"]}`,
      'kept',
    ],
    [
      'the mirror at the end',
      `{"registry-mirrors": ["http://a",\n"http://b", "${M}/"]}`,
      `{"registry-mirrors": ["${M}/",\n"http://a", "http://b"]}`,
      'moved',
    ],
    [
      'the mirror in the middle',
      `{"registry-mirrors": ["http://a","HTTP:\\/\\/127.0.0.1:65001","http://b"]}`,
      `{"registry-mirrors": ["HTTP:\\/\\/127.0.0.1:65001","http://a","http://b"]}`,
      'moved',
    ],
  ])('%s', (_, before, after, edit) => {
    const result = withEntry(PATH, before, MIRRORS, M);
    expect(result.text).toBe(after);
    expect(result.edit).toBe(edit);
  });
});

describe('only the own entry goes', () => {
  test.each<[string, string, boolean, string]>([
    ['the list was there', `{"registry-mirrors": ["${M}"]}`, false, '{"registry-mirrors": []}'],
    ['the list was added', `{"a": 1, "registry-mirrors": ["${M}"]}`, true, '{"a": 1}'],
    ['the list was added and others added behind', `{"registry-mirrors": ["${M}"], "a": 1}`, true, '{"a": 1}'],
    ['the list was added and is all', `{ "registry-mirrors": ["${M}"] }`, true, '{}'],
    [
      'the list was added and has a new mirror',
      `{"registry-mirrors": ["${M}", "http://a"]}`,
      true,
      '{"registry-mirrors": ["http://a"]}',
    ],
    ['it is the last', `{"registry-mirrors": ["http://a", "${M}/"]}`, false, '{"registry-mirrors": ["http://a"]}'],
    ['it is gone already', '{"registry-mirrors": ["http://a"]}', true, '{"registry-mirrors": ["http://a"]}'],
    ['it is gone, and the added list empty', '{"a": 1, "registry-mirrors": []}', true, '{"a": 1}'],
    ['there is no list', '{"a": 1}', true, '{"a": 1}'],
    ['there is nothing', ' \n', true, ' \n'],
  ])('%s', (_, before, dropEmptyList, after) => {
    expect(withoutEntry(PATH, before, MIRRORS, M, dropEmptyList)).toBe(after);
  });
});

test.each([
  ['', '{\n  "registry-mirrors": []\n}\n'],
  ['{"a": 1}', '{"a": 1, "registry-mirrors": []}'],
  ['{"registry-mirrors": ["http://a"], "a": 1}', '{"registry-mirrors": [], "a": 1}'],
])('an explicitly empty list in %j', (before, after) => {
  expect(withEmptyList(PATH, before, MIRRORS.key)).toBe(after);
});
