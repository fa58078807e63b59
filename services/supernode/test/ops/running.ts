import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { createLog } from '@cdk8s-dragonfly/command';

import { Supernode } from '../../src';
import type { SupernodeOptions } from '../../src';
import { closed, listening } from '../classic/fixture';
import type { OriginPath } from '../classic/fixture';

/** What `GET` answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A supernode and an origin of one file, both real, and what the supernode logged. */
export class Running {
  readonly lines: string[] = [];
  private readonly logging = new EventEmitter();
  requests = 0;

  private constructor(
    readonly home: string,
    private readonly origin: { readonly server: Server; readonly port: number },
    private started: Supernode | undefined,
  ) {}

  static async start(file: OriginPath, options: Partial<SupernodeOptions> = {}): Promise<Running> {
    const home = await mkdtemp(join(tmpdir(), 'supernode-ops-'));
    const origin = await listening((request, response) => {
      running.requests += 1;
      file(request, response);
    });
    const running = new Running(home, origin, undefined);
    const { lines, logging } = running;
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(...chunk.toString().trim().split('\n'));
        logging.emit('line');
        done();
      },
    });
    running.started = await Supernode.start({
      homeDir: home,
      api: { host: '127.0.0.1', port: 0 },
      blocks: { host: '127.0.0.1', port: 0 },
      advertiseIp: '127.0.0.1',
      allowOrigin: [{ host: '127.0.0.1', port: origin.port }],
      originFirstByteTimeout: 5000,
      originStallTimeout: 5000,
      env: {},
      log: createLog('debug', 'supernode', output),
      ...options,
    });
    return running;
  }

  get supernode(): Supernode {
    if (this.started === undefined) throw new Error('not started');
    return this.started;
  }

  get apiPort(): number {
    return this.supernode.api.port;
  }

  get piecePort(): number {
    return this.supernode.blocks.port;
  }

  /** The URL of the file. */
  url(path = '/file.bin'): string {
    return `http://127.0.0.1:${this.origin.port}${path}`;
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers);
    headers.set('connection', 'close');
    const response = await fetch(`http://127.0.0.1:${this.apiPort}${path}`, { ...init, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** The JSON document at a path. */
  async json(path: string, init?: RequestInit): Promise<{ readonly status: number; readonly body: unknown }> {
    const { status, text } = await this.ask(path, init);
    return { status, body: JSON.parse(text) as unknown };
  }

  /** Registers an original client. */
  async register(cid: string, rest: object = {}): Promise<{ readonly status: number; readonly body: unknown }> {
    const path = `/peer/file/${cid}`;
    const fields = { rawUrl: this.url(), taskUrl: this.url(), cid, ip: '127.0.0.2', port: 15000, path, ...rest };
    return this.json('/peer/registry', { method: 'POST', body: JSON.stringify({ hostName: 'node', ...fields }) });
  }

  /** The value of a series, with its labels as they are written. */
  async metric(series: string): Promise<number | undefined> {
    const { text } = await this.ask('/metrics');
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  /** The log lines with this message. */
  logged(message: string): Record<string, unknown>[] {
    const all = this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return all.filter(({ msg }) => msg === message);
  }

  /** Resolves when a line of the log makes `condition` true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.logging, 'line');
  }

  async stop(): Promise<void> {
    await this.started?.stop();
    await closed(this.origin.server);
    await rm(this.home, { recursive: true, force: true });
  }
}
