import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort } from '../../test/support/free-port';
import { cpuSecondsOf } from '../process-usage';
import { download } from './download';
import { MeasuredProcess } from './measured-process';

/** What nginx takes for the same bytes, in CPU seconds. */
export interface NginxCost {
  readonly version: string;
  /** Receive, store and serve one client. */
  readonly cold: number;
  /** Serve another from its store. */
  readonly warm: number;
  /** `openssl dgst -sha256` of the stored file. */
  readonly digest: number;
}

/** `proxy_cache` of nginx in front of the registry, and the hash that it does not take. Undefined when there is no nginx or openssl. */
export async function nginxCost(home: string, originPort: number, digest: string): Promise<NginxCost | undefined> {
  const told = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  if (told.error !== undefined || spawnSync('openssl', ['version']).error !== undefined) return undefined;
  const folder = join(home, 'nginx');
  const cache = join(folder, 'cache');
  mkdirSync(cache, { recursive: true });
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, originPort));
  const nginx = await MeasuredProcess.start(
    ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')],
    { log: join(home, 'nginx.log'), port },
  );
  try {
    const path = `/v2/bench/blobs/${digest}`;
    const cpu = (): number => processesOf(nginx.pid).reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
    const before = cpu();
    await download({ port, path });
    const cold = cpu();
    await download({ port, path });
    const warm = cpu();
    const hashed = await cpuOf('openssl', ['dgst', '-sha256', ...filesIn(cache)]);
    const version = told.stderr.trim().replace('nginx version: ', '');
    return { version, cold: cold - before, warm: warm - cold, digest: hashed };
  } finally {
    await nginx.stop();
  }
}

function configuration(folder: string, port: number, originPort: number): string {
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 64; }
http {
  access_log off;
  sendfile on;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/temp;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/cache keys_zone=bench:1m use_temp_path=off max_size=64g;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${originPort};
      proxy_http_version 1.1;
      proxy_max_temp_file_size 0;
      proxy_cache bench;
      proxy_cache_valid 200 1h;
    }
  }
}
`;
}

/** The process and its children. */
function processesOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))];
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** CPU seconds of a command from its start to its end. */
async function cpuOf(command: string, flags: readonly string[]): Promise<number> {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null';
  const { stderr } = await promisify(execFile)('bash', ['-c', script, 'bash', command, ...flags]);
  const [user = NaN, system = NaN] = stderr.trim().split(' ').map(Number);
  return user + system;
}
