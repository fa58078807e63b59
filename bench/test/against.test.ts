import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Host } from '../../e2e/world/host';
import type { Registry } from '../../e2e/world/registry';
import { Against } from '../rig/against';

describe('another system', () => {
  let home: string;
  let folder: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'against-'));
    folder = join(home, 'theirs');
    mkdirSync(folder);
  });
  afterEach(() => rmSync(home, { recursive: true }));

  /** Each executable notes how it was called, and says something. */
  const write = (name: string, says: string): void => {
    const path = join(folder, name);
    const note = `echo "${name} $BENCH_HOST $BENCH_CENTRE $BENCH_REGISTRY" >>"$BENCH_FOLDER/../../calls"`;
    writeFileSync(path, `#!/bin/sh\n${note}\nprintf '${says}'\n`);
    chmodSync(path, 0o755);
  };
  const host = (name: string, ip: string): Host => {
    const path = (...names: string[]): string => join(home, name, ...names);
    const run: Host['run'] = async ([command = '', ...args], options) =>
      Promise.resolve(execFileSync(command, args, { env: { ...process.env, ...options?.env }, encoding: 'utf8' }));
    return { name, ip, path, run } as unknown as Host;
  };

  it('is started on each host, and stopped there in the reverse order; what it prints as pids is measured until then', async () => {
    write('start-centre', 'pid 11\\nready, pid 12\\npid 13\\n');
    write('start-node', 'pid 21\\n');
    write('mirror-url', 'http://10.0.0.2:80\\n');
    write('stop', '');
    const system = new Against(folder);
    expect(system.name).toBe('theirs');
    const node = host('node', '10.0.0.2');
    const registry = { url: 'http://10.0.0.9:5000' } as unknown as Registry;
    await system.startCentre(host('centre', '10.0.0.1'), registry);
    await system.startNode(node);
    expect(system.mirrorUrl(node)).toBe('http://10.0.0.2:80');
    expect(() => system.mirrorUrl(host('other', '10.0.0.3'))).toThrow('theirs was not started on other');
    expect(system.processes()).toEqual([
      { role: 'centre', pid: 11 },
      { role: 'centre', pid: 13 },
      { role: 'node', pid: 21 },
    ]);
    await system.stop();
    expect(system.processes()).toEqual([]);
    const [centre, both] = ['10.0.0.1', '10.0.0.1 http://10.0.0.9:5000'];
    expect(readFileSync(join(home, 'calls'), 'utf8').trim().split('\n')).toEqual([
      `start-centre ${centre} ${both}`,
      `start-node 10.0.0.2 ${both}`,
      `mirror-url 10.0.0.2 ${both}`,
      `stop 10.0.0.2 ${both}`,
      `stop ${centre} ${both}`,
    ]);
  });

  it('is refused when an executable is missing, or may not be run', () => {
    for (const name of ['start-centre', 'mirror-url', 'stop']) write(name, '');
    chmodSync(join(folder, 'mirror-url'), 0o644);
    expect(() => new Against(folder)).toThrow(
      `--against ${folder}: needs start-centre, start-node, mirror-url, stop, and has no executable start-node, mirror-url`,
    );
  });
});
