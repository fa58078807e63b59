import type { RunResult } from '../../src/report/result';
import { shortcomings } from '../../src/report/result';
import { mapTable, nodeTable, registryTable } from '../../src/report/tables';

const MIB = 1024 ** 2;
const pulled = { manifestDigest: 'sha256:m', blobDigests: [], bytes: 64 * MIB, seconds: 1.234 };

function result(change: Partial<RunResult> = {}): RunResult {
  return {
    nodes: [
      { node: 'node-1', pulled, sources: { local: 0, peer: 40 * MIB, supernode: 24 * MIB, origin: 0 } },
      { node: 'node-2', pulled, sources: { local: MIB, peer: 30 * MIB, supernode: 33 * MIB, origin: 512 } },
    ],
    blobs: [
      { what: 'config', digest: 'sha256:c', size: 512, traffic: { gets: 1, bytes: 512 } },
      { what: 'layer 1', digest: 'sha256:1', size: 64 * MIB, traffic: { gets: 1, bytes: 64 * MIB } },
    ],
    imageBytes: 64 * MIB + 1024,
    registryBytes: 64 * MIB + 1536,
    ...change,
  };
}

test('a row a node: seconds, bytes, and where they came from', () => {
  expect(nodeTable(result()).split('\n')).toEqual([
    '┌────────┬─────────┬──────────┬───────────┬─────────────┬───────────┬──────────┐',
    '│ node   │ seconds │ received │ own store │ other nodes │ supernode │ registry │',
    '├────────┼─────────┼──────────┼───────────┼─────────────┼───────────┼──────────┤',
    '│ node-1 │    1.23 │   64 MiB │       0 B │      40 MiB │    24 MiB │      0 B │',
    '│ node-2 │    1.23 │   64 MiB │     1 MiB │      30 MiB │    33 MiB │    512 B │',
    '└────────┴─────────┴──────────┴───────────┴─────────────┴───────────┴──────────┘',
  ]);
});

test('what the registry sent stands beside what it would have sent without peers', () => {
  const lines = registryTable(result()).split('\n');
  expect(lines[1]).toMatch(/from the registry .* size .* requests .* sent .* without peers/);
  expect(lines[4]).toMatch(/layer 1 .* 64 MiB .* 1 .* 64 MiB .* 128 MiB/);
  expect(lines[5]).toMatch(/all, with manifests .* 64 MiB .* 64 MiB .* 128 MiB/);
});

test('the map names each process once', () => {
  const map = [
    { what: '--port', manifest: '8002', here: '4001' },
    { what: '--home-dir', manifest: '/home/admin/supernode', here: 'supernode/host/data/dragonfly' },
  ];
  const plan = { name: 'supernode', map } as unknown as Parameters<typeof mapTable>[0][number];
  const lines = mapTable([plan]).split('\n');
  expect(lines[3]).toMatch(/^│ supernode │ --port +│ 8002 +│ 4001 +│$/);
  expect(lines[4]).toMatch(/^│ +│ --home-dir │ \/home\/admin\/supernode │ supernode\/host\/data\/dragonfly │$/);
});

test('nothing is wanting when every node pulled and each blob left once', () => {
  expect(shortcomings(result())).toEqual([]);
});

test('a failed node and a blob that left twice are told', () => {
  const twice = { what: 'layer 1', digest: 'sha256:1', size: 64, traffic: { gets: 2, bytes: 128 } };
  const never = { what: 'config', digest: 'sha256:c', size: 5, traffic: { gets: 0, bytes: 0 } };
  const failed = result({ nodes: [{ node: 'node-3', failure: 'GET x: cut' }], blobs: [twice, never] });
  expect(shortcomings(failed)).toEqual([
    'node-3: GET x: cut',
    'The registry sent 128 bytes of the layer 1 in 2 requests instead of its 64 bytes once (sha256:1).',
    'The registry sent 0 bytes of the config in 0 requests instead of its 5 bytes once (sha256:c).',
  ]);
  expect(nodeTable(failed)).toMatch(/│ node-3 │ failed +│/);
});
