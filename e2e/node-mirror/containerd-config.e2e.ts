import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CONFIG_TOML } from '../../services/node-mirror/test/corpus/config-toml';
import { withConfigPath } from '../../services/node-mirror/src/containerd/config-edits';
import { run } from '../world/run';
import { World } from '../world/world';

const TEST_LIMIT_MS = 60_000;

describe('config.toml and a real containerd', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create();
  });
  afterAll(async () => {
    await world.stop();
  });

  test(
    'containerd 1.x shows the config_path that was set in each file of the corpus',
    async () => {
      const folder = world.newFolder('configs');
      let seen = 0;
      for (const { name, content = '', refused, version = '1.6', others = {} } of CONFIG_TOML) {
        if (refused !== undefined || !version.startsWith('1.')) continue;
        for (const [path, text] of Object.entries(others)) {
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, text);
        }
        const file = `${folder}/${seen}.toml`;
        writeFileSync(file, withConfigPath(name, content, '/the/folder', 1));
        const dump = await run(['containerd', '--config', file, 'config', 'dump']);
        expect({ name, line: /^.*config_path.*$/m.exec(dump)?.[0].trim() }).toEqual({
          name,
          line: 'config_path = "/the/folder"',
        });
        seen += 1;
      }
      expect(seen).toBeGreaterThan(8);
      expect(existsSync(folder) && readFileSync(`${folder}/0.toml`, 'utf8')).toContain('version = 2');
    },
    TEST_LIMIT_MS,
  );
});
