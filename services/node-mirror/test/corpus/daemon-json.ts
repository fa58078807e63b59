import type { Specimen } from './specimen';

/** daemon.json files. */
export const DAEMON_JSON: readonly Specimen[] = [
  { name: 'no file and no folder', content: undefined },
  { name: 'zero bytes', content: '' },
  { name: 'blanks', content: '  \r\n\t' },
  { name: 'a byte order mark alone', content: '\uFEFF' },
  { name: 'a byte order mark', content: '\uFEFF{\r\n  "debug": false\r\n}' },
  { name: 'an empty object', content: '{}' },
  { name: 'an empty object with blanks', content: '\n{ \t\n}\n\n' },
  { name: 'one line', content: '{"debug": false}' },
  { name: 'odd numbers', content: '{\n\t"mtu": -0,\n\t"max-concurrent-downloads": 10 , "shutdown-timeout": -1\n}' },
  {
    name: 'escapes and other scripts',
    content: '{"labels": ["\\u0041=\\/", "größe=ß", "😀=1"], "registry\\u002dmirrors": []}',
  },
  { name: 'an empty list', content: '{"registry-mirrors": [\n]}' },
  { name: 'foreign mirrors', content: '{"registry-mirrors": ["https://a.example" , "http://b.example:5000/"]}' },
  { name: 'ours behind another', content: '{"registry-mirrors": ["https://a.example", "http://127.0.0.1:65001/"]}' },
  { name: 'tabs', content: '{\n\t"debug": false,\n\t"log-opts": {\n\t\t"max-size": "10m"\n\t}\n}\n' },
  { name: 'everything on lines of its own', content: '{\n"registry-mirrors"\n:\n[\n"http://a.example"\n]\n}\n' },
  { name: 'null', content: 'null', refused: /line 1, column 1: the top level is a single value/ },
  { name: 'a trailing comma', content: '{"debug": true,}', refused: /line 1, column 15: a trailing comma/ },
  { name: 'a remark', content: '{"debug": true} // why', refused: /line 1, column 17: a comment/ },
  {
    name: 'a string for the list',
    content: '{"registry-mirrors": "http://a"}',
    refused: /line 1, column 22: "registry-mirrors" is not a list/,
  },
  { name: 'a remark in stars', content: '{"debug": /* why */ true}', refused: /line 1, column 11: a comment/ },
  {
    name: 'a trailing comma in a list',
    content: '{"dns": ["1.1.1.1",]}',
    refused: /line 1, column 19: a trailing comma/,
  },
  { name: 'a key removed', content: '{"log-driver": "json-file"}\n' },
  {
    name: 'a key that dockerd does not know',
    content: '{"no-such-key": true}',
    untaken: /did not take .* put back as it was/,
  },
  {
    name: 'a mirror without scheme',
    content: '{"registry-mirrors": ["a.example"]}',
    refused: /line 1, column 23: a mirror that is no http or https URL, with which dockerd does not start again/,
  },
  {
    name: 'a mirror with another scheme',
    content: '{"registry-mirrors": ["https://b.example",\n"ftp://a.example"]}',
    refused: /line 2, column 1: a mirror that is no http or https URL/,
  },
  {
    name: 'a mirror with a query',
    content: '{"registry-mirrors": ["https://a.example?b"]}',
    refused: /line 1, column 23: a mirror with a query or fragment/,
  },
  {
    name: 'a mirror with a password',
    content: '{"registry-mirrors": ["https://u:p@a.example"]}',
    refused: /line 1, column 23: a mirror with a user or password/,
  },
  {
    name: 'a mirror with a path, before 23',
    content: '{"registry-mirrors": ["https://a.example/b"]}',
    refused: /line 1, column 23: a mirror with a path/,
  },
  { name: 'a mirror with a path', content: '{"registry-mirrors": ["https://a.example/b"] }', version: '26.1.5' },
  { name: 'a mirror with the slash that dockerd adds', content: '{"registry-mirrors": ["https://a.example/"]}' },
  { name: 'a mirror twice, as dockerd shows once', content: '{"registry-mirrors": ["http://b","http://b/"]}' },
  { name: 'insecure registries', content: '{"insecure-registries": ["a.example:5000", "10.0.0.0/8"], "debug": false}' },
  { name: 'proxies', content: '{"proxies": {"no-proxy": "a.example"}}', version: '26.1.5' },
  {
    name: 'all on lines with Windows ends',
    content:
      '{\r\n  "log-opts": {\r\n    "max-size": "1m"\r\n  },\r\n  "registry-mirrors": [\r\n    "http://b"\r\n  ]\r\n}\r\n',
  },
  { name: 'text after the end', content: '{} {}', refused: /line 1, column 4: text after the end of the document/ },
  { name: 'a string that does not end', content: '{"debug', refused: /line 1, column 2: a string without its closing/ },
  { name: 'a list at the top', content: '[]', refused: /line 1, column 1: the top level is a list/ },
  { name: 'the key twice', content: '{"registry-mirrors": [], "registry-mirrors": []}', refused: /stands twice/ },
];
