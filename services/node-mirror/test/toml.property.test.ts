import fc from 'fast-check';
import { parse } from 'smol-toml';
import { withConfigPath, withoutConfigPath } from '../src/containerd/config-edits';
import { withHostFirst, withoutHost } from '../src/containerd/hosts-edits';
import { HostTree } from './support/host-tree';
import { CERTS, CONFIG, containerdOn, MIRROR } from './support/other-runtimes';
import { PretendedContainerd } from './support/pretended-containerd';

const HOSTS = `${CERTS}/docker.io/hosts.toml`;
const CRI = 'plugins."io.containerd.grpc.v1.cri"';

const remark = fc.constantFrom('', '', ' # why', '\t#[host."x"]', ' # "');
const value = fc.constantFrom(
  '1',
  '0x1F',
  'true',
  '1979-05-27T07:32:00Z',
  '"a # ] ["',
  "'C:\\'",
  '"""\n[host."no"]\n# """',
  "'''\n'quoted'\n'''",
  '[1, 2]',
  '[\n  "a", # b\n  "]",\n]',
  '{ a = 1, "b c" = [] }',
  '"\\u00e9\\""',
);
const gap = fc.constantFrom('', '', '\n', '# remark\n', '\n\n  # two\n');
const indent = fc.constantFrom('', '', '  ', '\t');

const pairs = (names: readonly string[]): fc.Arbitrary<string> =>
  fc
    .uniqueArray(fc.constantFrom(...names), { maxLength: 3 })
    .chain((keys) => fc.tuple(...keys.map((key) => fc.tuple(gap, indent, fc.constant(key), value, remark))))
    .map((all) =>
      all.map(([before, space, key, text, after]) => `${before}${space}${key} = ${text}${after}\n`).join(''),
    );

const hosts = fc
  .uniqueArray(fc.constantFrom('"https://a"', "'https://b:5000'", '"http://c/d"', '"http://127.0.0.1:65002"'), {
    maxLength: 3,
  })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.tuple(gap, indent, fc.constant(name), remark, pairs(['skip_verify', '"odd key"', 'x.y'])),
      ),
    ),
  )
  .map((all) =>
    all.map(([before, space, name, after, body]) => `${before}${space}[host.${name}]${after}\n${body}`).join(''),
  );

/** hosts.toml files in any formatting; the final newline may be missing. */
const hostsFiles = fc
  .tuple(pairs(['ca', 'client', '"skip verify"']), hosts, fc.boolean(), fc.boolean())
  .map(([top, tables, cut, windows]) => {
    const text = cut ? `${top}${tables}`.replace(/\n$/, '') : `${top}${tables}`;
    return windows ? text.replaceAll('\n', '\r\n') : text;
  });

const configs = fc
  .tuple(
    pairs(['root', 'oom_score', '"a b"']),
    fc.subarray([
      `[${CRI}]`,
      `[${CRI}.containerd]`,
      `[${CRI}.registry]`,
      `[${CRI}.registry.headers]`,
      '[debug]',
      '[[x]]',
    ]),
    fc.array(pairs(['k1', 'k2']), { minLength: 6, maxLength: 6 }),
  )
  .map(
    ([top, headers, bodies]) =>
      `version = 2\n${top}${headers.map((head, at) => `${head}\n${bodies[at] ?? ''}`).join('')}`,
  );

/** What a config.toml says, tables aside that are empty. */
const meaningOf = (text: string): unknown =>
  JSON.parse(JSON.stringify(parse(text)), (_, entry: unknown) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry) && Object.keys(entry).length === 0
      ? undefined
      : entry,
  );

const hostsOf = (text: string): [string, unknown][] => Object.entries(Object(parse(text)['host']) as object);

test('hosts.toml: the mirror comes first, all else stays, and taking it out gives the same text', () => {
  fc.assert(
    fc.property(hostsFiles, (text) => {
      const { text: after, edit } = withHostFirst('hosts.toml', text, { mirror: MIRROR });
      expect(edit).toBe('added');
      expect(hostsOf(after)).toEqual([[MIRROR, { capabilities: ['pull', 'resolve'] }], ...hostsOf(text)]);
      expect({ ...parse(after), host: 0 }).toEqual({ ...parse(text), host: 0 });
      expect(withHostFirst('hosts.toml', after, { mirror: MIRROR })).toEqual({ text: after, edit: 'kept' });
      const back = withoutHost('hosts.toml', after, MIRROR);
      // A file without hosts and without final newline gets one.
      expect(back === text || back === `${text}\n` || back === `${text}\r\n`).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('config.toml: config_path is set once, all else stays, and taking it out leaves the meaning as it was', () => {
  fc.assert(
    fc.property(configs, (text) => {
      const after = withConfigPath('config.toml', text, '/certs', 1);
      expect(withConfigPath('config.toml', after, '/certs', 1)).toBe(after);
      const lines = text.split('\n').filter((line) => line !== '');
      const left = after.split('\n');
      for (const line of lines) expect(left).toContain(line);
      expect(meaningOf(withoutConfigPath('config.toml', after, '/certs', ''))).toEqual(meaningOf(text));
    }),
    { numRuns: 60 },
  );
});

test('hosts.toml with edits between the steps: they stay, and only ours goes', async () => {
  const node = new HostTree();
  try {
    await fc.assert(
      fc.asyncProperty(hostsFiles, fc.nat(2), async (text, edits) => {
        node.clear();
        node.write(CONFIG, `version = 2\n[${CRI}.registry]\nconfig_path = "${CERTS}"\n`);
        node.write(HOSTS, text);
        const modes = containerdOn(node, new PretendedContainerd());
        await modes.apply();
        for (let edit = 0; edit < edits; edit += 1) {
          node.write(HOSTS, `# by others, ${edit}\n${node.read(HOSTS)}`);
          await modes.apply();
          expect(node.read(`${CERTS}/docker.io.dragonfly-backup`)).not.toContain(MIRROR);
        }
        await modes.restore();
        const remarks = Array.from({ length: edits }, (_, at) => `# by others, ${edits - 1 - at}\n`).join('');
        const back = node.read(HOSTS);
        expect(back.replace(/\r?\n$/, '')).toBe(`${remarks}${text}`.replace(/\r?\n$/, ''));
        expect(edits > 0 || back === text).toBe(true);
        expect(Object.keys(node.all).filter((path) => path.includes('.dragonfly-'))).toEqual([]);
      }),
      { numRuns: 10 },
    );
  } finally {
    node.remove();
  }
});
