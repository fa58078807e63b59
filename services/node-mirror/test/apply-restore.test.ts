import { chmodSync, lstatSync, mkdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Refusal } from '../src/refusal';
import { MIRROR, PretendedNode } from './support/pretended-node';
import { refusalOf } from './support/refusal-of';

const SLASHED = `${MIRROR}/`;
const ADDED = `{\n  "registry-mirrors": ["${MIRROR}"]\n}\n`;

let node: PretendedNode;
beforeEach(() => {
  node = new PretendedNode();
});
afterEach(() => {
  node.remove();
});

/** Contents of daemon.json, odd ones among them, and the mirrors in force after apply. */
const CONTENTS: readonly (readonly [string, string | undefined, readonly string[]])[] = [
  ['no file and no folder', undefined, [SLASHED]],
  ['an empty file', '', [SLASHED]],
  ['blanks', '  \r\n\t', [SLASHED]],
  ['a byte order mark alone', '\uFEFF', [SLASHED]],
  ['a byte order mark', '\uFEFF{\r\n  "debug": true\r\n}', [SLASHED]],
  ['an empty object', '{}', [SLASHED]],
  ['an empty object with blanks', '\n{ \t\n}\n\n', [SLASHED]],
  ['one line', '{"debug": true}', [SLASHED]],
  ['odd numbers', '{\n\t"mtu": 1500.0,\n\t"max": 1E+3, "big": 12345678901234567890\n}', [SLASHED]],
  [
    'escapes and other scripts',
    '{"labels": ["\\u0041=\\/", "größe=ß", "😀"], "registry\\u002dmirrors": []}',
    [SLASHED],
  ],
  ['an empty list', '{"registry-mirrors": [\n]}', [SLASHED]],
  [
    'foreign mirrors',
    '{"registry-mirrors": ["https://a.example" , "http://b.example:5000/"]}',
    [SLASHED, 'https://a.example/', 'http://b.example:5000/'],
  ],
  ['ours behind another', `{"registry-mirrors": ["https://a.example", "${SLASHED}"]}`, [SLASHED, 'https://a.example/']],
  ['nested keys of the same name', '{"x": {"registry-mirrors": 1}, "y": [{"registry-mirrors": []}]}', [SLASHED]],
];

describe('apply, apply, restore', () => {
  test.each(CONTENTS)('%s', async (_, content, inForce) => {
    const names = (await node.give(content)).names;
    const before = node.dockerd.inForce;

    await node.mirror().apply();
    expect(node.dockerd.inForce).toEqual(inForce);
    expect(node.dockerd.reloads).toBe(1);
    expect(node.bytes?.subarray(0, 1).toString()).not.toBe('\uFEFF');
    await node.mirror().check();

    const written = statSync(node.file);
    const traces = node.names;
    await node.mirror().apply();
    expect(statSync(node.file)).toEqual(written);
    expect(node.names).toEqual(traces);
    expect(node.dockerd.reloads).toBe(1);

    await node.mirror().restore();
    expect(node.text).toBe(content);
    expect(node.names).toEqual(names);
    expect(node.dockerd.inForce).toEqual(before);

    await node.mirror().restore();
    expect(node.text).toBe(content);
    expect(node.dockerd.reloads).toBe(2);
  });

  test('a mirror that the operator has put first himself is never touched', async () => {
    const content = `{"registry-mirrors":["${SLASHED}"]}`;
    await node.give(content);
    await node.mirror().apply();
    await node.mirror().restore();
    expect(node.text).toBe(content);
    expect(node.names).toEqual(['daemon.json']);
    expect(node.dockerd.reloads).toBe(0);
    expect(node.dockerd.inForce).toEqual([SLASHED]);
  });
});

describe('the file', () => {
  test('keeps mode and owner', async () => {
    await node.give('{}');
    chmodSync(node.file, 0o600);
    const { uid, gid } = statSync(node.file);
    await node.mirror().apply();
    expect(statSync(node.file)).toMatchObject({ mode: 0o100600, uid, gid });
    expect(statSync(`${node.file}.dragonfly-backup`).mode).toBe(0o100600);
    await node.mirror().restore();
    expect(statSync(node.file)).toMatchObject({ mode: 0o100600, uid, gid });
  });

  test('is new with 0644 in a folder with 0755', async () => {
    await node.give(undefined);
    await node.mirror().apply();
    expect(statSync(node.file).mode).toBe(0o100644);
    expect(statSync(dirname(node.file)).mode).toBe(0o40755);
    expect(node.text).toBe(ADDED);
  });

  test('is reached through links below the host root, which stay', async () => {
    await node.give(undefined);
    mkdirSync(join(node.root, 'srv/config'), { recursive: true });
    writeFileSync(join(node.root, 'srv/config/docker.json'), '{}');
    symlinkSync('/srv', join(node.root, 'etc/docker'));
    symlinkSync('../srv/config/docker.json', join(node.root, 'srv/daemon.json'));
    const target = join(node.root, 'srv/config/docker.json');
    node.dockerd.inForce = [];
    node.dockerd.reload = () => {
      node.dockerd.inForce = [SLASHED];
      return Promise.resolve();
    };
    await node.mirror().apply();
    expect(readlinkSync(join(node.root, 'srv/daemon.json'))).toBe('../srv/config/docker.json');
    expect(lstatSync(target).isFile()).toBe(true);
    expect(node.text).toBeUndefined();
  });

  test('that is a folder is left alone', async () => {
    await node.give('');
    rmSync(node.file);
    mkdirSync(node.file);
    expect(await refusalOf(node.mirror().apply())).toBe(`${node.file} is no regular file: node-mirror leaves it alone`);
  });
});

describe('others at work', () => {
  test('what they have added since stays when our entry goes', async () => {
    await node.give('{"debug": true}');
    await node.mirror().apply();
    node.write(`{"debug": true, "registry-mirrors": ["${MIRROR}", "http://new.example"], "mtu": 1400}`);
    await node.mirror().restore();
    expect(node.text).toBe('{"debug": true, "registry-mirrors": ["http://new.example"], "mtu": 1400}');
    expect(node.dockerd.inForce).toEqual(['http://new.example/']);
    expect(node.names).toEqual(['daemon.json']);
  });

  test('an edit between two applies is no part of the first bytes, and is not lost by them', async () => {
    await node.give('{"debug": true}');
    await node.mirror().apply();
    node.write(`{"debug": false, "registry-mirrors": ["http://new.example", "${MIRROR}"]}`);
    await node.mirror().apply();
    expect(node.text).toBe(`{"debug": false, "registry-mirrors": ["${MIRROR}", "http://new.example"]}`);
    await node.mirror().restore();
    expect(node.text).toBe('{"debug": false, "registry-mirrors": ["http://new.example"]}');
  });

  test('an added key goes with our entry although others have edited', async () => {
    await node.give('{}');
    await node.mirror().apply();
    node.write(`{"registry-mirrors": ["${MIRROR}"], "mtu": 1400}`);
    await node.mirror().restore();
    expect(node.text).toBe('{"mtu": 1400}');
    expect(node.dockerd.inForce).toEqual([]);
  });

  test('a file that others have removed stays so, and dockerd forgets the mirror', async () => {
    await node.give('{"debug": true}');
    await node.mirror().apply();
    rmSync(node.file);
    await node.mirror().restore();
    expect(node.names).toEqual([]);
    expect(node.dockerd.inForce).toEqual([]);
  });

  test('a file that others have broken is not restored over', async () => {
    await node.give('{"debug": true}');
    await node.mirror().apply();
    node.write('{"debug": true,}');
    expect(await refusalOf(node.mirror().restore())).toMatch(
      /^\/etc\/docker\/daemon.json, line 1, column 15: a trailing comma/,
    );
    expect(node.text).toBe('{"debug": true,}');
    expect(node.names).toContain('daemon.json.dragonfly-backup');
  });

  test('a change between the look and the rename is found', async () => {
    await node.give('{"debug": true}');
    node.dockerd.onCall = (call) => {
      if (call === 'inspect') node.write('{"debug": false}');
    };
    expect(await refusalOf(node.mirror().apply())).toBe(
      `${node.file} was changed by someone else in the meantime and has been left as it is: run again`,
    );
    expect(node.text).toBe('{"debug": false}');
    expect(node.dockerd.reloads).toBe(0);
    node.dockerd.onCall = () => undefined;
    await node.mirror().apply();
    await node.mirror().restore();
    expect(node.text).toBe('{"debug": false}');
  });

  test('two at once: one changes, the other finds it done', async () => {
    await node.give('{"debug": true}');
    await Promise.all([node.mirror().apply(), node.mirror().apply(), node.mirror().apply()]);
    expect(node.dockerd.reloads).toBe(1);
    await Promise.all([node.mirror().restore(), node.mirror().restore()]);
    expect(node.text).toBe('{"debug": true}');
    expect(node.names).toEqual(['daemon.json']);
  });
});

describe('another mirror than before', () => {
  test('takes the place of the one that was added', async () => {
    await node.give('{"registry-mirrors": ["http://a.example"]}');
    await node.mirror().apply();
    await node.mirror('http://127.0.0.1:7000').apply();
    expect(node.text).toBe('{"registry-mirrors": ["http://127.0.0.1:7000", "http://a.example"]}');
    await node.mirror('http://127.0.0.1:7000').restore();
    expect(node.text).toBe('{"registry-mirrors": ["http://a.example"]}');
  });

  test('also in a file that others have edited; restore knows both', async () => {
    await node.give('{"debug": true}');
    await node.mirror().apply();
    node.write(`{"debug": true, "registry-mirrors": ["${MIRROR}"], "mtu": 1400}`);
    await node.mirror('http://127.0.0.1:7000').apply();
    expect(node.text).toBe('{"debug": true, "registry-mirrors": ["http://127.0.0.1:7000"], "mtu": 1400}');
    await node.mirror().restore();
    expect(node.text).toBe('{"debug": true, "mtu": 1400}');
    expect(node.dockerd.inForce).toEqual([]);
  });
});

test('restore asks nobody whether the first bytes are good', async () => {
  await node.give('{"debug": true}');
  await node.mirror().apply();
  node.dockerd.onCall = (call) => {
    if (call === 'inspect') throw new Refusal('dockerd would not start');
  };
  await node.mirror().restore();
  expect(node.text).toBe('{"debug": true}');
});

test('restore without a running dockerd puts the file back', async () => {
  await node.give('{"debug": true}');
  await node.mirror().apply();
  node.dockerRuns = false;
  await node.mirror().restore();
  expect(node.text).toBe('{"debug": true}');
  expect(node.names).toEqual(['daemon.json']);
});

test('restore removes what a killed run has left half-written', async () => {
  await node.give('{"debug": true}');
  for (const half of ['', '.dragonfly-state', '.dragonfly-backup'])
    writeFileSync(`${node.file}${half}.dragonfly-new`, '{');
  writeFileSync(`${node.file}.dragonfly-backup`, '{"debug": true}');
  await node.mirror().restore();
  expect(node.names).toEqual(['daemon.json']);
  expect(node.said).toEqual(['nothing to restore: node-mirror has no record of a change']);
});

test('a dockerd that was restarted meanwhile needs no intermediate list', async () => {
  await node.give('{"debug": true}');
  await node.mirror().apply();
  node.write('{"debug": true}');
  await node.dockerd.restart();
  node.dockerd.reloads = 0;
  await node.mirror().restore();
  expect(node.dockerd.reloads).toBe(0);
  expect(node.names).toEqual(['daemon.json']);
});
