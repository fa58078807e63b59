import { helpText, parseCommand, UsageError, type CommandValues } from '../src';
import { LISTING } from './example-spec';
import { memoryFiles } from './memory-files';

function listing(config: string): CommandValues<typeof LISTING> {
  return parseCommand(LISTING, [], { env: {}, readFile: memoryFiles({ '/etc/example.yml': config }) });
}

describe('a list in the configuration file', () => {
  test('has entries with values of the types of the contract', () => {
    const { hosts, port } = listing(
      'base: {port: 9, hosts: [{host: a, certs: [/a.pem, /b.pem], direct: true}, {host: b, certs: /c.pem}]}',
    );
    expect(port).toBe(9);
    expect(hosts).toEqual([
      { host: 'a', certs: ['/a.pem', '/b.pem'], direct: true },
      { host: 'b', certs: ['/c.pem'], direct: false },
    ]);
    expect([hosts, hosts[0]].every((value) => Object.isFrozen(value))).toBe(true);
  });

  test.each(['', 'base: {hosts: }', 'base: {hosts: []}'])('is empty in %j', (config) => {
    expect(listing(config).hosts).toEqual([]);
  });

  test.each([
    ['base: {hosts: a}', 'the key base.hosts in /etc/example.yml must hold a list of entries, such as "- host: VALUE"'],
    [
      'base: {hosts: [a]}',
      'the key base.hosts in /etc/example.yml must hold a list of entries, such as "- host: VALUE"',
    ],
    [
      'base: {hosts: [{host: a}, {certz: b}]}',
      'unknown key certz in entry 2 of base.hosts in /etc/example.yml; did you mean certs?',
    ],
    ['base: {hosts: [{}]}', 'the key host of entry 1 of base.hosts in /etc/example.yml is missing: Its name.'],
    [
      'base: {hosts: [{host: a, direct: yes}]}',
      'the key direct of entry 1 of base.hosts in /etc/example.yml must be true or false, not "yes"',
    ],
    [
      'base: {hosts: [{host: {a: b}}]}',
      'the key base.hosts[0].host in /etc/example.yml must hold a value or a list of values, no further keys',
    ],
    ['bse: {hosts: []}', 'unknown key bse in /etc/example.yml; the keys are base.port, base.hosts'],
  ])('%j is refused', (config, message) => {
    expect(() => listing(config)).toThrow(new UsageError(message));
  });

  test('stands in the help with its fields', () => {
    expect(helpText(LISTING)).toContain(`Lists in the configuration file:
  base.hosts  Hosts.
    - host    Its name. (required)
    - certs   Its certificates. (repeatable)
    - direct  Whether it is asked itself. (default false)
`);
  });
});
