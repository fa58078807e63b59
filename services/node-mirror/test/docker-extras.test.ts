import { insecureRegistries, proxyUrl } from '../src/docker/docker-options';
import type { DockerSettings } from '../src/docker/docker-runtime';
import type { Modes } from './support/modes';
import { MIRROR, PretendedNode } from './support/pretended-node';

const PROXY = 'http://127.0.0.1:65001';
const OURS = `"registry-mirrors": ["${MIRROR}"]`;
const PROXIES = `"proxies": {"http-proxy": "${PROXY}", "https-proxy": "${PROXY}"}`;

let node: PretendedNode;
beforeEach(() => {
  node = new PretendedNode();
});
afterEach(() => {
  node.remove();
});

const modes = (wishes: Partial<DockerSettings>): Modes => node.mirror(MIRROR, {}, wishes);

describe('insecure-registries', () => {
  const wishes = { insecure: ['r.example:5000', '10.0.0.0/8'] };

  test.each<[string | undefined, string]>([
    [undefined, `{\n  ${OURS},\n  "insecure-registries": ["10.0.0.0/8", "r.example:5000"]\n}\n`],
    ['{"debug": true}', `{"debug": true, ${OURS}, "insecure-registries": ["10.0.0.0/8", "r.example:5000"]}`],
    [
      '{"insecure-registries": ["a.example"], "debug": true}',
      `{"insecure-registries": ["10.0.0.0/8", "r.example:5000", "a.example"], "debug": true, ${OURS}}`,
    ],
    [
      '{"insecure-registries": ["a.example", "https://R.example:5000"]}',
      `{"insecure-registries": ["10.0.0.0/8", "a.example", "https://R.example:5000"], ${OURS}}`,
    ],
  ])('are added to %s, taken, and go again', async (content, after) => {
    await node.give(content);
    const before = node.dockerd.insecure;
    await modes(wishes).apply();
    expect(node.text).toBe(after);
    expect(node.dockerd.insecure).toEqual(expect.arrayContaining(['10.0.0.0/8']));
    await modes(wishes).check();
    await modes(wishes).apply();
    expect(node.text).toBe(after);
    expect(node.dockerd.reloads).toBe(1);

    await modes({}).restore();
    expect(node.text).toBe(content);
    expect(node.dockerd.insecure).toEqual(before);
    expect(node.dockerd.inForce).toEqual([]);
  });

  test('go when they are wanted no more, and others that came meanwhile stay', async () => {
    await node.give('{"debug": true}');
    await modes(wishes).apply();
    await modes({ insecure: ['r.example:5000'] }).apply();
    expect(node.dockerd.insecure).toEqual(['r.example:5000']);
    node.write(`{"debug": true, ${OURS}, "insecure-registries": ["r.example:5000", "new.example"]}`);
    await modes({}).apply();
    expect(node.text).toBe(`{"debug": true, ${OURS}, "insecure-registries": ["new.example"]}`);
    expect(node.dockerd.insecure).toEqual(['new.example']);
    await modes({}).restore();
    expect(node.text).toBe('{"debug": true, "insecure-registries": ["new.example"]}');
  });

  test('that dockerd does not show are put back', async () => {
    await node.give('{"debug": true}');
    node.dockerd.deaf = true;
    await expect(modes(wishes).apply()).rejects.toThrow(
      `it shows [], not ["${MIRROR}","insecure-registries 10.0.0.0/8","insecure-registries r.example:5000"]`,
    );
    expect(node.text).toBe('{"debug": true}');
    expect(node.names).toEqual(['daemon.json']);
  });

  test('on the command line of dockerd are refused', async () => {
    await node.give('{}');
    node.dockerd.flags = { '--insecure-registry': ['a.example'] };
    await expect(modes(wishes).apply()).rejects.toThrow(
      'was started with --insecure-registry a.example and would not start again with the key in its file as well',
    );
    await modes({}).apply();
    expect(node.text).toContain(MIRROR);
  });

  test.each(['http://a.example', 'a.example/b', '10.0.0.0/33', 'a b', ''])("'%s' is refused", (given) => {
    expect(() => insecureRegistries([given])).toThrow(
      `--docker-insecure-registry '${given}' is neither a registry, such as registry.example.com:5000, nor a range`,
    );
  });
});

describe('proxies', () => {
  const wishes = { proxy: PROXY, restart: true };
  beforeEach(() => {
    node.dockerd.version = '26.1.5';
  });

  test.each<[string | undefined, string]>([
    [undefined, `{\n  ${OURS},\n  ${PROXIES}\n}\n`],
    ['{"debug":true}', `{"debug":true,${OURS.replace(': ', ':')},${PROXIES.replaceAll('": ', '":')}}`],
    [
      '{"proxies": {"no-proxy": "a.example"}}',
      `{"proxies": {"no-proxy": "a.example", "http-proxy": "${PROXY}", "https-proxy": "${PROXY}"}, ${OURS}}`,
    ],
    ['{"proxies": {}}', `{"proxies": {"http-proxy": "${PROXY}", "https-proxy": "${PROXY}"}, ${OURS}}`],
    [
      `{"proxies": {"https-proxy": "${PROXY}/", "http-proxy": ""}}`,
      `{"proxies": {"https-proxy": "${PROXY}/", "http-proxy": "${PROXY}"}, ${OURS}}`,
    ],
  ])('are added to %s with one restart, and go again with another', async (content, after) => {
    await node.give(content);
    const before = node.dockerd.proxies;
    await modes(wishes).apply();
    expect(node.text).toBe(after);
    expect(node.dockerd.proxies['http-proxy']).toBe(PROXY);
    expect(node.dockerd.inForce).toEqual([`${MIRROR}/`]);
    expect([node.dockerd.restarts, node.dockerd.reloads]).toEqual([1, 0]);
    // All is done, so --restart is not needed.
    await modes({ proxy: PROXY }).check();
    await modes({ proxy: PROXY }).apply();
    expect(node.dockerd.restarts).toBe(1);

    await modes({ restart: true }).restore();
    expect(node.text).toBe(content);
    expect(node.dockerd.proxies).toEqual(before);
    expect(node.dockerd.inForce).toEqual([]);
    expect(node.names).toEqual(content === undefined ? undefined : ['daemon.json']);
    expect(node.dockerd.restarts).toBe(2);
  });

  test('need --restart, for apply and for restore; plan shows the restart', async () => {
    await node.give('{"debug": true}');
    const refusal =
      'dockerd (process 7) takes a change of proxies at its start only: say --restart to have it restarted (containers go on, as live-restore is on); nothing was changed';
    for (const mode of ['plan', 'check', 'apply'] as const) {
      await expect(modes({ proxy: PROXY })[mode]()).rejects.toThrow(refusal);
    }
    expect(node.names).toEqual(['daemon.json']);
    await modes(wishes).plan();
    expect(node.said.at(-1)).toMatch(/^then systemctl restart \(containers go on: live-restore\); it must show \[/);
    await modes(wishes).apply();
    const patched = node.text;
    await expect(modes({}).restore()).rejects.toThrow(refusal);
    expect(node.text).toBe(patched);
    expect([node.dockerd.restarts, node.dockerd.reloads]).toEqual([1, 0]);
  });

  test('are refused where a restart would stop containers', async () => {
    await node.give('{"debug": true}');
    node.dockerd.liveRestore = false;
    await expect(modes(wishes).apply()).rejects.toThrow(
      'takes a change of proxies at its start only, and would stop every container, since live-restore is off: set "live-restore": true in /etc/docker/daemon.json, reload dockerd (systemctl reload docker), and run again with --restart; nothing was changed',
    );
    expect(node.names).toEqual(['daemon.json']);
    expect(node.dockerd.restarts).toBe(0);
    node.dockerd.liveRestore = true;
    await modes(wishes).apply();
    node.dockerd.liveRestore = false;
    await expect(modes(wishes).restore()).rejects.toThrow('would stop every container');
    // Without them nothing needs a restart.
    node.write(`{"debug": true, ${OURS}}`);
    node.dockerd.proxies = {};
    await modes({}).restore();
    expect(node.text).toBe('{"debug": true}');
    expect(node.dockerd.restarts).toBe(1);
  });

  test('are refused, before anything is written, where dockerd is no service', async () => {
    await node.give('{}');
    node.dockerd.noService = 'dockerd (process 7) is not run by a service of systemd';
    await expect(modes(wishes).plan()).rejects.toThrow('is not run by a service of systemd');
    await expect(modes(wishes).apply()).rejects.toThrow('is not run by a service of systemd');
    expect(node.names).toEqual(['daemon.json']);
  });

  test('with which dockerd does not come up are taken back, and it is started again', async () => {
    await node.give('{"debug": true}');
    node.dockerd.startFails = 'systemctl restart docker.service failed: no';
    await expect(modes(wishes).apply()).rejects.toThrow(
      'systemctl restart docker.service failed: no; /etc/docker/daemon.json was put back as it was',
    );
    expect(node.text).toBe('{"debug": true}');
    expect(node.names).toEqual(['daemon.json']);
    expect(node.dockerd.restarts).toBe(2);
    expect((await node.dockerd.info()).proxies).toEqual({});
  });

  test('go when they are wanted no more; what others put beside them stays', async () => {
    await node.give('{"debug": true}');
    await modes(wishes).apply();
    node.write(
      `{"debug": true, ${OURS}, "proxies": {"no-proxy": "a.example", "http-proxy": "${PROXY}", "https-proxy": "${PROXY}"}}`,
    );
    await modes({ restart: true }).apply();
    expect(node.text).toBe(`{"debug": true, ${OURS}, "proxies": {"no-proxy": "a.example"}}`);
    expect(node.dockerd.proxies['https-proxy']).toBeUndefined();
    await modes({}).restore();
    expect(node.text).toBe('{"debug": true, "proxies": {"no-proxy": "a.example"}}');
  });

  test('of others are not replaced', async () => {
    await node.give('{\n  "proxies": {"https-proxy": "http://user:secret@proxy.example:3128"}\n}');
    await expect(modes(wishes).apply()).rejects.toThrow(
      '/etc/docker/daemon.json, line 2, column 30: proxies has http://proxy.example:3128 as its https-proxy, and pulls would no longer go through it: give that proxy to the df-daemon (HTTPS_PROXY) and take it out here; nothing was changed',
    );
    await node.give('{}');
    node.dockerd.environment = ['http://user:secret@proxy.example:3128'];
    await expect(modes(wishes).apply()).rejects.toThrow(
      'dockerd (process 7) has the proxy http://proxy.example:3128 in its environment, and pulls would no longer go through it',
    );
    node.dockerd.environment = [];
    node.dockerd.flags = { '--https-proxy': ['http://user:secret@proxy.example:3128'] };
    await expect(modes(wishes).apply()).rejects.toThrow('was started with --https-proxy http://proxy.example:3128 and');
    expect(node.names).toEqual(['daemon.json']);
  });

  test.each<[string, RegExp]>([
    ['{"proxies": "http://a"}', /line 1, column 13: "proxies" is not an object/],
    ['{"proxies": ["http://a"]}', /line 1, column 13: "proxies" is not an object/],
    ['{"proxies": {"http-proxy": 1}}', /line 1, column 28: "proxies" holds something other than strings/],
    ['{"proxies": {"http-proxy": {}}}', /line 1, column 28: "proxies" holds something other than strings/],
    ['{"Proxies": {}}', /line 1, column 2: the key "Proxies" is not known to dockerd, which spells it "proxies"/],
  ])('written as %s are refused', async (content, reason) => {
    await node.give(content);
    await expect(modes(wishes).apply()).rejects.toThrow(reason);
    expect(node.text).toBe(content);
  });

  test('are unknown to dockerd before 23', async () => {
    await node.give('{}');
    node.dockerd.version = '20.10.24';
    await expect(modes(wishes).apply()).rejects.toThrow(
      'dockerd 20.10.24 (process 7) does not know proxies in its file and would not start with them: --docker-proxy needs dockerd 23 or later; nothing was changed',
    );
    expect(node.text).toBe('{}');
  });

  test.each(['ftp://a', 'http://a:1/b', 'http://u@a', 'http://a/?b'])('%s is refused', (given) => {
    expect(() => proxyUrl(given)).toThrow(
      /^--docker-proxy '.*' is no http or https URL of scheme, host and port alone/,
    );
  });
});

test.each([[undefined], ['{"debug": true}'], ['{"insecure-registries": ["a.example"]}']])(
  'one that knows not all that was applied to %s asks for what it knows only',
  async (content) => {
    await node.give(content);
    node.dockerd.version = '26.1.0';
    await modes({ insecure: ['r.example:5000'], proxy: proxyUrl(PROXY), restart: true }).apply();
    await expect(modes({}).check()).rejects.toThrow('takes a change of proxies at its start only');
    await modes({}).check({ former: 'stays' });
    const other = node.mirror('http://127.0.0.1:7000');
    await expect(other.check({ former: 'stays' })).rejects.toThrow('daemon.json does not have http://127.0.0.1:7000');
    node.dockerd.inForce = [];
    await expect(modes({}).check({ former: 'stays' })).rejects.toThrow('has not taken it');
  },
);
