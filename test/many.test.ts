import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, App, Chart } from 'cdk8s';
import { Dragonfly, Storage } from '../src';

/** How often objects of an app of so many installations are rendered while it is synthesized, in a chart each or all in one. */
function rendered(count: number, chartEach: boolean): number {
  const outdir = mkdtempSync(join(tmpdir(), 'dragonfly-many-'));
  const toJson = jest.spyOn(ApiObject.prototype, 'toJson');
  try {
    const app = new App({ outdir });
    const shared = new Chart(app, 'all');
    for (let i = 0; i < count; i++) {
      new Dragonfly(chartEach ? new Chart(app, `chart-${i}`) : shared, `it-${i}`, {
        supernodeImage: 'example/supernode:1',
        daemonImage: 'example/dfdaemon:1',
        supernode: { name: `seed-${i}`, storage: Storage.hostPath(`/data/dragonfly-${i}`) },
        daemon: { name: `mirror-${i}`, nodeSelector: { pool: `${i}` } },
        monitoring: { name: `p2p-${i}` },
      });
    }
    app.synth();
    return toJson.mock.calls.length;
  } finally {
    toJson.mockRestore();
    rmSync(outdir, { recursive: true });
  }
}

// 200 installations have to take less than 5 s. What would break that is work for each pair of them, not the seconds of this machine.
it.each([
  ['in one chart', false],
  ['in a chart each', true],
])('the work of a synthesis grows with its objects, not with their square: %s', (_what, chartEach) => {
  const few = rendered(4, chartEach);
  expect(few).toBeGreaterThan(4 * 8);
  expect(rendered(12, chartEach)).toBe(3 * few);
});
