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
  { name: 'a list at the top', content: '[]', refused: /line 1, column 1: the top level is a list/ },
  { name: 'the key twice', content: '{"registry-mirrors": [], "registry-mirrors": []}', refused: /stands twice/ },
];
