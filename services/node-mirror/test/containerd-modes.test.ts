import {
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { HostTree } from './support/host-tree';
import { CERTS, CONFIG, containerdOn, MIRROR } from './support/other-runtimes';
import { PretendedContainerd } from './support/pretended-containerd';

const HOSTS = `${CERTS}/docker.io/hosts.toml`;
const WITH_CONFIG_PATH = `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "${CERTS}"\n`;
const OURS = `[host."${MIRROR}"]\n  capabilities = ["pull", "resolve"]\n`;

let node: HostTree;
beforeEach(() => {
  node = new HostTree();
});
afterEach(() => {
  node.remove();
});

describe('containerd', () => {
  let containerd: PretendedContainerd;
  beforeEach(() => {
    containerd = new PretendedContainerd();
  });

  test('each registry gets a folder, and loses it when it is wanted no more', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    const before = node.all;
    const registries = ['docker.io', 'ghcr.io=https://ghcr.example', 'r.example:5000', '_default'];
    await containerdOn(node, containerd, { registries }).apply();
    expect(node.read(HOSTS)).toBe(`server = "https://registry-1.docker.io"\n\n${OURS}`);
    expect(node.read(`${CERTS}/ghcr.io/hosts.toml`)).toBe(`server = "https://ghcr.example"\n\n${OURS}`);
    expect(node.read(`${CERTS}/r.example:5000/hosts.toml`)).toBe(`server = "https://r.example:5000"\n\n${OURS}`);
    expect(node.read(`${CERTS}/_default/hosts.toml`)).toBe(OURS);

    const fewer = containerdOn(node, containerd, { registries: ['docker.io'] });
    await expect(fewer.check()).rejects.toThrow(/\/hosts.toml does not have http/);
    await fewer.apply();
    expect(Object.keys(node.all).filter((path) => path.startsWith(CERTS))).toEqual([
      `${CERTS}/docker.io/hosts.toml`,
      `${CERTS}/docker.io.dragonfly-state`,
    ]);
    await fewer.restore();
    expect(node.all).toEqual(before);
  });

  test('a folder in the spelling without a colon is used when it is there', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    node.write(`${CERTS}/r.example_5000_/hosts.toml`, '[host."https://a"]\n');
    await containerdOn(node, containerd, { registries: ['r.example:5000'] }).apply();
    expect(node.read(`${CERTS}/r.example_5000_/hosts.toml`)).toBe(`${OURS}\n[host."https://a"]\n`);
  });

  test('without config_path nothing is changed, unless a restart is allowed', async () => {
    node.write(CONFIG, 'version = 2\n');
    const before = node.all;
    await expect(containerdOn(node, containerd).apply()).rejects.toThrow(
      `${CONFIG} sets no config_path, so containerd reads no hosts.toml, and it is read at containerd's start only: say --restart to have config_path = "${CERTS}" set and containerd restarted (pods go on), or do both by hand; nothing was changed`,
    );
    expect(node.all).toEqual(before);
    expect(containerd.restarts).toBe(0);
  });

  test('a list of which 2.1 and later use no part becomes its first folder, if a restart is allowed, and a list again', async () => {
    const list = WITH_CONFIG_PATH.replace(CERTS, '/srv/a:/srv/b');
    node.write(CONFIG, list);
    node.write('/srv/a/ghcr.io/hosts.toml', '[host."https://a"]\n');
    const before = node.all;
    containerd = new PretendedContainerd('2.2.0');
    const reason = `${CONFIG} has config_path = "/srv/a:/srv/b", a list, of which containerd 2.2.0 uses no part unless use_local_image_pull is true, and it is read at containerd's start only: say --restart to have config_path = "/srv/a" set and containerd restarted (pods go on), or do both by hand; nothing was changed`;
    await expect(containerdOn(node, containerd).apply()).rejects.toThrow(reason);
    await expect(containerdOn(node, containerd).check()).rejects.toThrow(reason);
    expect(node.all).toEqual(before);

    await containerdOn(node, containerd, { restart: true }).apply();
    expect(node.read(CONFIG)).toBe(WITH_CONFIG_PATH.replace(CERTS, '/srv/a'));
    expect(node.read('/srv/a/docker.io/hosts.toml')).toContain(`[host."${MIRROR}"]`);
    await containerdOn(node, containerd).check();
    await containerdOn(node, containerd).apply();
    expect(containerd.restarts).toBe(1);
    node.write(CONFIG, `${node.read(CONFIG)}[debug]\n`);
    await containerdOn(node, containerd, { restart: true }).apply();
    await containerdOn(node, containerd).restore();
    expect(node.all).toEqual({ ...before, [CONFIG]: `${list}[debug]\n` });
  });

  test('another config_path that others have set since is theirs', async () => {
    node.write(CONFIG, 'version = 2\n');
    await containerdOn(node, containerd, { restart: true }).apply();
    const theirs = WITH_CONFIG_PATH.replace(CERTS, '/srv/a');
    node.write(CONFIG, theirs);
    Object.assign(containerd, { pid: 99, startedAt: Date.now() + 60_000 });
    await containerdOn(node, containerd).apply();
    await containerdOn(node, containerd).check();
    expect(node.read('/srv/a/docker.io/hosts.toml')).toContain(OURS);
    expect([node.read(CONFIG), containerd.restarts]).toEqual([theirs, 1]);
    await containerdOn(node, containerd).restore();
    expect(node.all).toEqual({ [CONFIG]: theirs });
  });

  test('a containerd that is no service cannot be restarted, and keeps its file', async () => {
    node.write(CONFIG, 'version = 2\n');
    containerd.noService = 'containerd (process 7) is not run by a service of systemd';
    const before = node.all;
    await expect(containerdOn(node, containerd, { restart: true }).apply()).rejects.toThrow(
      'is not run by a service of systemd',
    );
    expect(node.all).toEqual(before);
  });

  test('a restart after which the CRI does not answer is taken back, hosts.toml and all', async () => {
    node.write(CONFIG, 'version = 2\n');
    const before = node.all;
    const hasCri = containerd.hasCri.bind(containerd);
    containerd.isBack = async () => (await hasCri()) && containerd.restarts !== 1;
    await expect(containerdOn(node, containerd, { restart: true }).apply()).rejects.toThrow(
      /did not take \/etc\/containerd\/config.toml within 0.1 s: it shows no CRI.*was put back as it was/,
    );
    expect(node.all).toEqual(before);
    expect(containerd.restarts).toBe(2);
  });

  test('a config.toml that containerd would not start with never takes its place', async () => {
    node.write(CONFIG, 'version = 2\n');
    containerd.complaint = 'containerd would not start with it';
    const before = node.all;
    await expect(containerdOn(node, containerd, { restart: true }).apply()).rejects.toThrow('would not start with it');
    expect(node.all).toEqual(before);
    expect(containerd.restarts).toBe(0);
  });

  test('a restart that somebody else makes good is waited for by nobody: told once is enough', async () => {
    node.write(CONFIG, 'version = 2\n');
    await containerdOn(node, containerd, { restart: true }).apply();
    // Without --restart: all is done, so nothing is refused.
    await containerdOn(node, containerd).apply();
    await containerdOn(node, containerd).check();
    expect(containerd.restarts).toBe(1);
  });

  test('a containerd that has started after the file was written has read it: nothing is asked for after a reboot', async () => {
    node.write(CONFIG, 'version = 2\n');
    await containerdOn(node, containerd, { restart: true }).apply();
    Object.assign(containerd, { pid: 99, startedAt: Date.now() + 60_000 });
    await containerdOn(node, containerd).check();
    await containerdOn(node, containerd).apply();
    expect(containerd.restarts).toBe(1);

    const later = new Date(containerd.startedAt + 1000);
    utimesSync(join(node.root, CONFIG), later, later);
    Object.assign(containerd, { pid: 98 });
    await expect(containerdOn(node, containerd).check()).rejects.toThrow(
      /was changed and containerd has not been restarted since/,
    );
    await containerdOn(node, containerd, { restart: true }).apply();
    expect(containerd.restarts).toBe(2);
  });

  test('one that knows not all that was applied asks for what it knows only', async () => {
    node.write(CONFIG, 'version = 2\n');
    const registries = ['docker.io=https://hub.example', 'ghcr.io'];
    await containerdOn(node, containerd, { registries, restart: true }).apply();
    const some = containerdOn(node, containerd);
    await expect(some.check()).rejects.toThrow(/hosts.toml does not have http/);
    await some.check({ former: 'stays' });
    // It is not seen running, as from a pod without the node's processes.
    await containerdOn(node, undefined).check({ former: 'stays', unseen: 'configured' });
    const more = containerdOn(node, containerd, { registries: ['ghcr.io', 'quay.io'] });
    await expect(more.check({ former: 'stays' })).rejects.toThrow(/quay.io\/hosts.toml does not have http/);
    node.write(HOSTS, `[host."https://a"]\n${node.read(HOSTS)}`);
    await expect(some.check({ former: 'stays' })).rejects.toThrow(/stands behind another host/);
  });

  test('a mirror for every registry is one for docker.io, unless it has a folder of its own', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    await containerdOn(node, containerd, { registries: ['_default'] }).apply();
    const some = containerdOn(node, containerd);
    await some.check({ former: 'stays' });
    await expect(some.check()).rejects.toThrow(/docker.io\/hosts.toml does not have http/);
    node.write(HOSTS, '[host."https://a"]\n');
    await expect(some.check({ former: 'stays' })).rejects.toThrow(/docker.io\/hosts.toml does not have http/);
  });

  test('of a list of folders the first is used that has one for the registry or for every one', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH.replace(CERTS, '/a:/b'));
    node.write('/a/_default/hosts.toml', '');
    node.write('/b/docker.io/hosts.toml', '');
    await containerdOn(node, containerd).apply();
    expect(node.read('/a/docker.io/hosts.toml')).toContain(OURS);
    expect(node.read('/b/docker.io/hosts.toml')).toBe('');
  });

  test('what others have added to hosts.toml since stays when our entry goes', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    node.write(HOSTS, '# first\n[host."https://a"]\n');
    const modes = containerdOn(node, containerd);
    await modes.apply();
    node.write(HOSTS, `${node.read(HOSTS)}  skip_verify = true # new\n`);
    await modes.apply();
    expect(node.read(`${CERTS}/docker.io.dragonfly-backup`)).toBe(
      '# first\n[host."https://a"]\n  skip_verify = true # new\n',
    );
    await modes.restore();
    expect(node.read(HOSTS)).toBe('# first\n[host."https://a"]\n  skip_verify = true # new\n');
  });

  test('what others have added to config.toml since stays when config_path goes', async () => {
    node.write(CONFIG, 'version = 2\n');
    const modes = containerdOn(node, containerd, { restart: true });
    await modes.apply();
    node.write(CONFIG, `${node.read(CONFIG)}[debug]\n  level = "info"\n`);
    await modes.restore();
    expect(node.read(CONFIG)).toBe(
      'version = 2\n\n[plugins."io.containerd.grpc.v1.cri".registry]\n[debug]\n  level = "info"\n',
    );
  });

  test('another mirror takes the place of the former', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    node.write(HOSTS, '[host."https://a"]\n');
    await containerdOn(node, containerd).apply();
    await containerdOn(node, containerd, { mirror: 'http://127.0.0.1:7000' }).apply();
    expect(node.read(HOSTS)).toBe(`${OURS.replace('65001', '7000')}\n[host."https://a"]\n`);
    await containerdOn(node, containerd).restore();
    expect(node.read(HOSTS)).toBe('[host."https://a"]\n');
  });

  test('files and folders that are links stay links, also absolute ones, which are those of the node', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    node.write('/srv/hosts/hub.toml', '[host."https://a"]\n');
    mkdirSync(join(node.root, CERTS, 'docker.io'), { recursive: true });
    symlinkSync('/srv/hosts/hub.toml', join(node.root, HOSTS));
    mkdirSync(join(node.root, '/srv/ghcr'));
    symlinkSync('/srv/ghcr', join(node.root, CERTS, 'ghcr.io'));
    const modes = containerdOn(node, containerd, { registries: ['docker.io', 'ghcr.io'] });
    await modes.apply();
    await modes.check();
    expect(node.read('/srv/hosts/hub.toml')).toBe(`${OURS}\n[host."https://a"]\n`);
    expect(node.read('/srv/ghcr/hosts.toml')).toContain(OURS);
    expect(readlinkSync(join(node.root, HOSTS))).toBe('/srv/hosts/hub.toml');
    await modes.restore();
    expect(node.read('/srv/hosts/hub.toml')).toBe('[host."https://a"]\n');
    expect(readdirSync(join(node.root, '/srv/ghcr'))).toEqual([]);
    expect(readdirSync(join(node.root, CERTS)).sort()).toEqual(['docker.io', 'ghcr.io']);
  });

  test('that is gone gets its files back all the same', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    const before = node.all;
    await containerdOn(node, containerd).apply();
    await containerdOn(node, undefined).restore();
    expect(node.all).toEqual(before);
  });

  test('a CRI that does not answer is not touched', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    containerd.cri = false;
    await expect(containerdOn(node, containerd).apply()).rejects.toThrow(
      /the CRI of containerd \(process 7\) does not answer/,
    );
  });

  test('files keep mode and owner, and the folder that others made stays', async () => {
    node.write(CONFIG, WITH_CONFIG_PATH);
    node.write(`${CERTS}/docker.io/README`, '');
    writeFileSync(join(node.root, HOSTS), '[host."https://a"]\n', { mode: 0o600 });
    const modes = containerdOn(node, containerd);
    await modes.apply();
    expect(statSync(join(node.root, HOSTS)).mode & 0o777).toBe(0o600);
    await modes.restore();
    expect(statSync(join(node.root, HOSTS)).mode & 0o777).toBe(0o600);
    rmSync(join(node.root, HOSTS));
    await modes.apply();
    await modes.restore();
    expect(Object.keys(node.all)).toContain(`${CERTS}/docker.io/README`);
  });
});
