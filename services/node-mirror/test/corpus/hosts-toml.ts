import type { Specimen } from './specimen';

const DEFAULT = '/etc/containerd/certs.d/_default/hosts.toml';
const FOLDER = '/etc/containerd/certs.d/docker.io';

/** hosts.toml files of docker.io. */
export const HOSTS_TOML: readonly Specimen[] = [
  { name: 'no file and no folder', content: undefined },
  { name: 'zero bytes', content: '' },
  { name: 'blanks', content: ' \n\t\n' },
  { name: 'a remark alone', content: '# nothing here\n' },
  { name: 'server without hosts', content: 'server = "https://registry-1.docker.io"\n' },
  { name: 'server without final newline', content: 'server = "https://registry-1.docker.io"' },
  {
    name: 'another host',
    content: 'server = "https://r"\n\n[host."https://m.example"]\n  capabilities = ["pull", "resolve"]\n',
  },
  {
    name: 'two hosts with remarks',
    content:
      '# ours\nserver = "https://r"\n\n# first\n# of two\n[host."https://a"]\n[host."https://b"]   # second\n  skip_verify = true\n',
  },
  { name: 'no server', content: '[host."https://a"]\n' },
  { name: 'Windows line ends', content: 'server = "https://r"\r\n\r\n[host."https://a"]\r\n  skip_verify = true\r\n' },
  { name: 'no final newline', content: '[host."https://a"]\nskip_verify = true' },
  { name: 'byte order mark', content: '\uFEFF[host."https://a"]\n' },
  { name: 'unknown keys', content: 'odd = 1\n[host."https://a"]\nwhat = "ever"\n' },
  { name: 'a host in literal quotes', content: "[host.'https://a']\n  ca = '/etc/ca.pem'\n" },
  { name: 'headers of a host', content: '[host."https://a"]\n[host."https://a".header]\n  x-a = ["1", "2"]\n' },
  {
    name: 'the header table before its host',
    content: '[host."https://a".header]\n  x-a = "1"\n[host."https://a"]\n  skip_verify = true\n',
  },
  { name: 'an empty host table above', content: '[host]\n[host."https://a"]\n' },
  {
    name: 'certificates',
    content:
      'ca = ["/a.pem",\n # why\n "/b.pem"]\nclient = [["/c.crt", "/c.key"]]\n[host."https://a"]\nclient = "/d.pem"\n',
  },
  {
    name: 'a header that looks like one in a string',
    content: 'x = """\n[host."https://no"]\n"""\n[host."https://a"]\n',
  },
  { name: 'brackets and hashes in strings', content: 'x = "a # b ] ["\ny = \'#\' # z\n[host."https://a"]\n' },
  {
    name: 'a bracket in the name of a host, at which containerd 1.6 stumbles by itself',
    content: '[host."https://a#]"]\n',
    version: '2.1.5',
  },
  { name: 'a string that ends like a remark', content: 'x = """\n# """\n[host."https://a"]\n' },
  { name: 'ours, first, by the user', content: '[host."http://127.0.0.1:65001/"]\n[host."https://a"]\n' },
  {
    name: 'ours with all it needs',
    content: '[host."http://127.0.0.1:65001"]\ncapabilities = ["push", "pull", "resolve"]\n',
  },
  { name: 'spaces in headers', content: 'server = "https://r"\n  [ host . "https://a" ]\n\tskip_verify = true\n' },
  {
    name: 'dates and numbers',
    content: 'x = 1979-05-27T07:32:00Z\ny = 0x_ff\n[host."https://a"]\n'.replace('0x_ff', '0xff'),
  },
  { name: 'our address without scheme, which means https', content: '[host."127.0.0.1:65001"]\n' },
  { name: 'a host with a path', content: '[host."https://a/v2/x"]\n  override_path = true\n' },
  { name: 'a host without resolve', content: '[host."https://a"]\ncapabilities = ["pull"]\n' },
  { name: 'a host for pushes', content: "[host.'https://a']\ncapabilities = ['push']\n" },
  { name: 'an empty list of capabilities', content: '[host."https://a"]\ncapabilities = []\n' },
  { name: 'Windows line ends without the last', content: 'server = "https://r"\r\n[host."https://a"]' },
  { name: 'keys above a host table of the operator', content: '[host]\n# all of them\n[host."https://a"]\n' },
  {
    name: 'a capability that is none',
    content: '[host."https://b"]\n[host."https://a"]\ncapabilities = ["pull", "pul"]\n',
    refused: /line 3, column 1: "pul" is no capability .*containerd would ignore the whole file/,
  },
  {
    name: 'capabilities that are no list',
    content: '[host."https://a"]\n  capabilities = "pull"\n',
    refused: /line 2, column 3: capabilities are no list of strings .*containerd would ignore the whole file/,
  },
  {
    name: 'ours behind another',
    content: '[host."https://a"]\n[host."http://127.0.0.1:65001"]\n',
    refused: /line 2, column 1: http:\/\/127.0.0.1:65001 stands behind another host/,
  },
  {
    name: 'ours with one capability',
    content: '[host."http://127.0.0.1:65001"]\ncapabilities = ["pull"]\n',
    refused: /line 1, column 1: the entry for .* lacks one of "pull" and "resolve"/,
  },
  {
    name: 'an inline host',
    content: 'host = { "https://a" = {} }\n',
    refused: /line 1, column 1: a host without a header of its own/,
  },
  {
    name: 'a dotted host',
    content: 'server = "https://r"\nhost."https://a".skip_verify = true\n',
    refused: /line 2, column 1: a host without a header/,
  },
  {
    name: 'an inline host in the host table',
    content: '[host]\n"https://a" = {}\n',
    refused: /line 2, column 1: a host without a header/,
  },
  { name: 'a list of hosts', content: '[[host]]\n', refused: /line 1, column 1: a host without a header/ },
  {
    name: 'a syntax error',
    content: 'server = "https://r"\n[host."https://a"\n',
    refused: /hosts.toml, line 2, column \d+: not valid TOML: .*; correct the file; nothing was changed/,
  },
  {
    name: 'the same host twice',
    content: '[host."https://a"]\n[host."https://a"]\n',
    refused: /line 2, column \d+: not valid TOML/,
  },
  {
    name: 'other hosts for all registries',
    content: undefined,
    others: { [DEFAULT]: '[host."https://a"]\n' },
    refused: /_default\/hosts.toml has https:\/\/a for every registry without a folder of its own/,
  },
  {
    name: 'our own mirror for all registries',
    content: undefined,
    others: { [DEFAULT]: '[host."http://127.0.0.1:65001"]\n' },
  },
  {
    name: 'certificates without hosts.toml',
    content: undefined,
    others: { [`${FOLDER}/ca.crt`]: 'x' },
    refused: /docker.io has certificates \(ca.crt\) and no hosts.toml/,
  },
  { name: 'a folder with something else', content: undefined, others: { [`${FOLDER}/README`]: 'x' } },
  { name: 'for 2.1, which knows dial_timeout', content: '[host."https://a"]\n', version: '2.1.5' },
];
