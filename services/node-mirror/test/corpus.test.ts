import { parse } from 'smol-toml';
import { entriesOf, entryFor } from '../src/containers/registries-conf';
import { CONFIG_PATHS, CONFIG_TOML } from './corpus/config-toml';
import { DAEMON_JSON } from './corpus/daemon-json';
import { HOSTS_TOML } from './corpus/hosts-toml';
import { REGISTRIES_CONF } from './corpus/registries-conf';
import type { Specimen } from './corpus/specimen';
import { HostTree } from './support/host-tree';
import type { Modes } from './support/modes';
import { CERTS, CONFIG, containerdOn, DROP_INS, MIRROR, podmanOn } from './support/other-runtimes';
import { PretendedContainerd } from './support/pretended-containerd';
import { PretendedNode } from './support/pretended-node';

const HOSTS = `${CERTS}/docker.io/hosts.toml`;
const REGISTRIES = '/etc/containers/registries.conf';
const DROP_IN = `${DROP_INS}/99-dragonfly-docker.io.conf`;
const WITH_CONFIG_PATH = `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "${CERTS}"\n`;

test('the corpus has at least 60 files', () => {
  const all = [DAEMON_JSON, HOSTS_TOML, CONFIG_TOML, CONFIG_PATHS, REGISTRIES_CONF].flat();
  expect(all.length).toBeGreaterThanOrEqual(150);
  expect(new Set(all.map(({ content, others }) => JSON.stringify([content, others]))).size).toBeGreaterThan(130);
});

/** apply, apply, restore: the second changes nothing, the third gives back every byte and leaves nothing. */
async function thereAndBack(tree: () => unknown, modes: Modes, applied: () => void): Promise<void> {
  const before = tree();
  await modes.apply();
  applied();
  await modes.check();
  const after = tree();
  expect(after).not.toEqual(before);
  await modes.apply();
  expect(tree()).toEqual(after);
  await modes.restore();
  expect(tree()).toEqual(before);
  await modes.restore();
  expect(tree()).toEqual(before);
}

async function leftAlone(tree: () => unknown, modes: Modes, reason: RegExp): Promise<void> {
  const before = tree();
  await expect(modes.apply()).rejects.toThrow(reason);
  await expect(modes.plan()).rejects.toThrow(reason);
  await expect(modes.check()).rejects.toThrow(reason);
  await modes.restore();
  expect(tree()).toEqual(before);
}

/** The specimens by their names, those that are taken or those that are refused. */
function table(corpus: readonly Specimen[], refused: boolean): [string, Specimen][] {
  return corpus.filter((one) => (one.refused !== undefined) === refused).map((one) => [one.name, one]);
}

const linesOf = (text = ''): string[] =>
  text
    .replace('\uFEFF', '')
    .split('\n')
    .filter((line) => line.trim() !== '');

describe('other runtimes', () => {
  let node: HostTree;
  beforeEach(() => {
    node = new HostTree();
  });
  afterEach(() => {
    node.remove();
  });

  const give = (path: string, { content, others = {} }: Specimen): void => {
    if (content !== undefined) node.write(path, content);
    for (const [other, text] of Object.entries(others)) node.write(other, text);
  };
  const giveHosts = (one: Specimen): PretendedContainerd => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    give(HOSTS, one);
    return new PretendedContainerd(one.version);
  };
  const giveConfig = (one: Specimen): PretendedContainerd => {
    give(CONFIG, one);
    node.write('/etc/containerd/README', '');
    return new PretendedContainerd(one.version);
  };
  const giveRegistries = (one: Specimen): void => {
    give(REGISTRIES, one);
    node.write('/etc/containers/policy.json', '{}');
    node.write('/usr/bin/podman', '');
  };

  test.each(table(HOSTS_TOML, true))('hosts.toml: %s', async (_, one) => {
    await leftAlone(() => node.all, containerdOn(node, giveHosts(one)), one.refused ?? /^$/);
    expect(node.all[`${CERTS}/docker.io.dragonfly-state`]).toBeUndefined();
  });

  const isOurs = ({ content }: Specimen): boolean => /^\[host\."http:\/\/127.0.0.1:65001\/?"/.test(content ?? '');
  test.each(table(HOSTS_TOML.filter(isOurs), false))('hosts.toml: %s', async (_, one) => {
    const modes = containerdOn(node, giveHosts(one));
    const before = node.all;
    await modes.apply();
    await modes.check();
    await modes.restore();
    expect(node.all).toEqual(before);
  });

  const isOther = (one: Specimen): boolean => !isOurs(one);
  test.each(table(HOSTS_TOML.filter(isOther), false))('hosts.toml: %s', async (_, one) => {
    const containerd = giveHosts(one);
    const { host: hosts = {}, ...theirs } = parse((one.content ?? '').replace('\uFEFF', ''));
    const server = one.content === undefined ? { server: 'https://registry-1.docker.io' } : {};
    const dial = one.version === undefined ? {} : { dial_timeout: '200ms' };
    await thereAndBack(
      () => node.all,
      containerdOn(node, containerd),
      () => {
        const { host, ...rest } = parse(node.read(HOSTS));
        const ours = { capabilities: ['pull', 'resolve'], ...dial };
        expect(Object.entries(Object(host) as object)).toEqual([[MIRROR, ours], ...Object.entries(hosts as object)]);
        expect(rest).toEqual({ ...theirs, ...server });
        for (const line of linesOf(one.content)) expect(node.read(HOSTS)).toContain(line);
      },
    );
    expect(containerd.restarts).toBe(0);
  });

  test.each(table(CONFIG_TOML, true))('config.toml: %s', async (_, one) => {
    const containerd = giveConfig(one);
    await leftAlone(() => node.all, containerdOn(node, containerd, { restart: true }), one.refused ?? /^$/);
    expect(containerd.restarts).toBe(0);
  });

  test.each(table(CONFIG_TOML, false))('config.toml: %s', async (_, one) => {
    const containerd = giveConfig(one);
    await thereAndBack(
      () => node.all,
      containerdOn(node, containerd, { restart: true }),
      () => {
        const text = node.read(CONFIG);
        expect(text.match(/config_path = "\/etc\/containerd\/certs.d"/g)).toHaveLength(1);
        parse(text);
        const kept = linesOf(one.content).filter((line) => !line.includes('config_path'));
        for (const line of kept) expect(text).toContain(line);
      },
    );
    expect(containerd.restarts).toBe(1);
  });

  test.each(CONFIG_PATHS.map((one) => [one.name, one] as const))('config_path: %s', async (_, one) => {
    const containerd = giveConfig(one);
    await thereAndBack(
      () => node.all,
      containerdOn(node, containerd),
      () => {
        expect(node.read(CONFIG)).toBe(one.content);
        expect(node.read(`${one.hosts}/docker.io/hosts.toml`)).toContain(`[host."${MIRROR}"]`);
      },
    );
    expect(containerd.restarts).toBe(0);
  });

  test.each(['mirrors."docker.io"]\nendpoint = ["https://a"]\n', 'configs."a".tls]\nca_file = "/a"\n'])(
    'config_path with %s, with which the CRI does not load: left alone',
    async (table) => {
      node.write(CONFIG, `${WITH_CONFIG_PATH}[plugins."io.containerd.grpc.v1.cri".registry.${table}`);
      const containerd = new PretendedContainerd();
      containerd.cri = false;
      await leftAlone(
        () => node.all,
        containerdOn(node, containerd, { restart: true }),
        /the CRI of .* does not answer/,
      );
      expect(containerd.restarts).toBe(0);
    },
  );

  test.each(table(REGISTRIES_CONF, true))('registries.conf: %s', async (_, one) => {
    giveRegistries(one);
    await leftAlone(() => node.all, podmanOn(node), one.refused ?? /^$/);
    expect(node.all[`${DROP_IN}.dragonfly-state`]).toBeUndefined();
  });

  test.each(table(REGISTRIES_CONF, false))('registries.conf: %s', async (_, one) => {
    giveRegistries(one);
    const drops = Object.entries(one.others ?? {}).filter(([path]) => path.endsWith('.conf'));
    const texts = [one.content ?? '', ...drops.map(([, text]) => text)];
    const theirs = entryFor(
      texts.flatMap((text) => entriesOf('', text)),
      'docker.io',
    );
    await thereAndBack(
      () => node.all,
      podmanOn(node),
      () => {
        const [entry] = entriesOf('', node.read(DROP_IN));
        const location = theirs?.location ?? 'docker.io';
        expect(entry).toEqual({
          file: '',
          prefix: 'docker.io',
          location,
          insecure: theirs?.insecure ?? false,
          blocked: theirs?.blocked ?? false,
          mirrorByDigestOnly: theirs?.mirrorByDigestOnly ?? false,
          mirrors: [{ location: `127.0.0.1:65001/${location}`, insecure: true }, ...(theirs?.mirrors ?? [])],
        });
      },
    );
  });
});

describe('docker', () => {
  let node: PretendedNode;
  beforeEach(() => {
    node = new PretendedNode();
  });
  afterEach(() => {
    node.remove();
  });
  const tree = (): unknown => [node.text, node.names];
  const give = async ({ content, version = '20.10.24' }: Specimen): Promise<void> => {
    node.dockerd.version = version;
    await node.give(content);
    node.dockerd.strict = true;
  };
  const isTaken = ({ untaken }: Specimen): boolean => untaken === undefined;

  test.each(table(DAEMON_JSON.filter(isTaken), false))('daemon.json: %s', async (_, one) => {
    await give(one);
    await thereAndBack(tree, node.mirror(), () => {
      expect(node.dockerd.inForce[0]).toBe(`${MIRROR}/`);
    });
    expect(node.dockerd.inForce).not.toContain(one.name === 'ours behind another' ? '' : `${MIRROR}/`);
  });

  test.each(table(DAEMON_JSON, true))('daemon.json: %s', async (_, one) => {
    await give(one);
    await leftAlone(tree, node.mirror(), one.refused ?? /^$/);
    expect(node.dockerd.reloads).toBe(0);
  });

  test.each(DAEMON_JSON.filter((one) => !isTaken(one)).map((one) => [one.name, one] as const))(
    'daemon.json, not taken: %s',
    async (_, one) => {
      await give(one);
      const before = tree();
      await expect(node.mirror().apply()).rejects.toThrow(one.untaken);
      expect(tree()).toEqual(before);
      await node.mirror().restore();
      expect(tree()).toEqual(before);
    },
  );
});
