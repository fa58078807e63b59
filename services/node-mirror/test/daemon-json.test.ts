import { readDaemonJson } from '../src/docker/daemon-json';
import { decodeUtf8 } from '../src/utf8';

const PATH = '/etc/docker/daemon.json';
const END = '; correct the file; nothing was changed';

describe('what is refused, and where', () => {
  test.each<[string, string, string]>([
    ['a line comment', '{\n  // why\n  "debug": true\n}', 'line 2, column 3: a comment, which dockerd does not accept'],
    ['a block comment', '{ /* why */ }', 'line 1, column 3: a comment, which dockerd does not accept'],
    ['a comment after the end', '{}\n# why', 'line 2, column 1: text that is no JSON'],
    [
      'a trailing comma in an object',
      '{\n  "debug": true,\n}',
      'line 2, column 16: a trailing comma, which dockerd does not accept',
    ],
    [
      'a trailing comma in a list',
      '{"dns": ["1.1.1.1",]}',
      'line 1, column 19: a trailing comma, which dockerd does not accept',
    ],
    ['a missing comma', '{"a": 1 "b": 2}', "line 1, column 9: ',' is missing"],
    ['a missing colon', '{"a" 1}', "line 1, column 6: ':' is missing"],
    ['a missing value', '{"a": }', 'line 1, column 7: a value is missing'],
    ['a missing key', '{: 1}', 'line 1, column 2: a key in double quotes is missing'],
    ['single quotes', "{'a': 1}", 'line 1, column 2: text that is no JSON'],
    ['an unclosed object', '{"a": 1', "line 1, column 8: '}' is missing"],
    ['an unclosed string', '{"a": "b}', 'line 1, column 7: a string without its closing quote'],
    ['a word', '{"a": True}', 'line 1, column 7: text that is no JSON'],
    ['an unknown escape', '{"a": "\\x41"}', 'line 1, column 7: an escape that JSON does not know'],
    ['a control character', '{"a": "\t"}', 'line 1, column 7: a control character in a string'],
    ['two documents', '{}{}', 'line 1, column 3: text after the end of the document'],
    ['a list at the top', '\r\n[]', 'line 2, column 1: the top level is a list, and dockerd wants an object'],
    ['a string at the top', '"x"', 'line 1, column 1: the top level is a single value, and dockerd wants an object'],
    ['null at the top', 'null', 'line 1, column 1: the top level is a single value, and dockerd wants an object'],
    [
      'a string for the list',
      '{"registry-mirrors": "http://a"}',
      'line 1, column 22: "registry-mirrors" is not a list of strings',
    ],
    [
      'null for the list',
      '{"registry-mirrors": null}',
      'line 1, column 22: "registry-mirrors" is not a list of strings',
    ],
    [
      'an object for the list',
      '{"registry-mirrors": {}}',
      'line 1, column 22: "registry-mirrors" is not a list of strings',
    ],
    [
      'a number in the list',
      '{"registry-mirrors": ["http://a", 1]}',
      'line 1, column 35: "registry-mirrors" holds something other than strings',
    ],
    [
      'a list in the list',
      '{"registry-mirrors": [["http://a"]]}',
      'line 1, column 23: "registry-mirrors" holds something other than strings',
    ],
    [
      'the key twice',
      '{"registry-mirrors": [],\n "registry-mirrors": []}',
      'line 2, column 2: the key "registry-mirrors" stands twice in one object (first in line 1, column 2)',
    ],
    [
      'the key twice, once escaped',
      '{"registry-mirrors": [], "registry\\u002dmirrors": []}',
      'line 1, column 26: the key "registry-mirrors" stands twice in one object (first in line 1, column 2)',
    ],
    [
      'another key twice',
      '{"debug": true, "debug": false}',
      'line 1, column 17: the key "debug" stands twice in one object (first in line 1, column 2)',
    ],
    [
      'a key twice further down',
      '{"log-opts": {"a": "1", "a": "2"}}',
      'line 1, column 25: the key "a" stands twice in one object (first in line 1, column 15)',
    ],
    [
      'another spelling of the key',
      '{"Registry-Mirrors": []}',
      'line 1, column 2: the key "Registry-Mirrors" is not known to dockerd, which spells it "registry-mirrors"',
    ],
    ['a nesting without end', `{"a": ${'['.repeat(100_000)}`, 'line 1, column 506: nested more than 500 deep'],
    ['a white space that JSON does not know', '{\u00a0}', 'line 1, column 2: text that is no JSON'],
    ['two byte order marks', '\uFEFF{}', 'line 1, column 1: text that is no JSON'],
  ])('%s', (_, text, message) => {
    expect(() => readDaemonJson(PATH, text)).toThrow(new Error(`${PATH}, ${message}${END}`));
  });

  test('bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{\n "ä": "'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(() => decodeUtf8(PATH, bytes)).toThrow(new Error(`${PATH}, line 2, column 8: not UTF-8${END}`));
  });

  test('UTF-16', () => {
    expect(() => decodeUtf8(PATH, Buffer.from('\uFEFF{}', 'utf16le'))).toThrow(/line 1, column 1: not UTF-8/);
  });
});

test('one byte order mark is no part of the text', () => {
  expect(decodeUtf8(PATH, Buffer.from('\uFEFF{}'))).toBe('{}');
});

test('a key of the same name further down is somebody else’s', () => {
  expect(readDaemonJson(PATH, '{"features": {"registry-mirrors": 1}}').lists).toEqual({});
});
