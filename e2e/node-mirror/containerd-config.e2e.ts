import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { newHostsToml, withHostFirst } from '../../services/node-mirror/src/containerd/hosts-edits';
import { CONFIG_TOML } from '../../services/node-mirror/test/corpus/config-toml';
import { HOSTS_TOML } from '../../services/node-mirror/test/corpus/hosts-toml';
import { withConfigPath } from '../../services/node-mirror/src/containerd/config-edits';
import { Containerd } from '../world/containerd';
import { run } from '../world/run';
import { World } from '../world/world';

const TEST_LIMIT_MS = 60_000;
/** The mirror of the corpus. */
const MIRROR = 'http://127.0.0.1:65001';
const ASKED_MS = 10_000;

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

  test(
    'containerd 1.x asks the mirror first by what was written into each hosts.toml of the corpus',
    () =>
      world.explain(async () => {
        const containerd = await Containerd.start(await world.host('node'));
        const server: Server = createServer((_, response) => response.writeHead(404).end()).listen(65001, '127.0.0.1');
        await once(server, 'listening');
        const folder = world.newFolder('hosts');
        let seen = 0;
        try {
          for (const { name, content, refused, others, version } of HOSTS_TOML) {
            // Certificates that are not there fail every pull, with the mirror and without.
            if (
              refused !== undefined ||
              others !== undefined ||
              version !== undefined ||
              /\bca = |client/.test(content ?? '')
            )
              continue;
            const wanted = { mirror: MIRROR, server: 'https://registry-1.docker.io' };
            const text = (content ?? '').replace('\uFEFF', '');
            mkdirSync(`${folder}/${seen}/docker.io`, { recursive: true });
            writeFileSync(
              `${folder}/${seen}/docker.io/hosts.toml`,
              content === undefined ? newHostsToml(wanted) : withHostFirst(name, text, wanted).text,
            );
            const pull = ['images', 'pull', '--hosts-dir', `${folder}/${seen}`, `docker.io/library/corpus:${seen}`];
            const asked = once(server, 'request', { signal: AbortSignal.timeout(ASKED_MS) });
            const ctr = spawn('ctr', ['--address', containerd.socket, ...pull], { stdio: 'ignore' });
            const ended = once(ctr, 'exit');
            const [request] = (await asked.catch((error: unknown) => {
              throw new Error(`containerd did not ask the mirror by the file "${name}"`, { cause: error });
            })) as [{ readonly url: string }];
            ctr.kill('SIGKILL');
            await ended;
            expect({ name, url: request.url }).toEqual({
              name,
              url: `/v2/library/corpus/manifests/${seen}?ns=docker.io`,
            });
            seen += 1;
          }
        } finally {
          server.closeAllConnections();
          server.close();
        }
        expect(seen).toBeGreaterThan(25);
      }),
    TEST_LIMIT_MS,
  );
});
