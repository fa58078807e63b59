import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { runCommand } from '@cdk8s-dragonfly/command';
import type { StopSignal } from '@cdk8s-dragonfly/command';
import { DFDAEMON } from '@cdk8s-dragonfly/contract';
import { serveNode } from '@cdk8s-dragonfly/dfdaemon';
import { SwarmNode } from '@cdk8s-dragonfly/engine';

import { freePort } from '../support/free-port';

/** A df-daemon as its command starts it, in this process: on ports of its own, its store below a folder. */
export class DaemonCommand {
  private readonly logged = new EventEmitter();
  private text = '';
  private signal: (signal: StopSignal) => void = () => undefined;
  private code: Promise<number> = Promise.resolve(0);

  private constructor(
    readonly mirrorPort: number,
    readonly opsPort: number,
  ) {}

  get mirror(): string {
    return `http://127.0.0.1:${this.mirrorPort}`;
  }

  get readyz(): string {
    return `http://127.0.0.1:${this.opsPort}/readyz`;
  }

  /** Resolves when it is ready. @param flags count instead of its own. @throws Error with what it said when it ends before. */
  static async start(folder: string, ...flags: readonly string[]): Promise<DaemonCommand> {
    const [mirror, ops, peer] = [await freePort(), await freePort(), await freePort()];
    const daemon = new DaemonCommand(mirror, ops);
    const own = [
      ['--port', `${mirror}`],
      ['--ops-listen', `127.0.0.1:${ops}`],
      ['--peer-port', `${peer}`],
      ['--peer-ip', '127.0.0.1'],
      ['--advertise-ip', '127.0.0.1'],
      ['--min-free', '0'],
      ['--data-dir', join(folder, `dfdaemon-${mirror}`)],
    ].filter(([flag = '']) => !flags.includes(flag));
    await daemon.run([...own.flat(), ...flags]);
    return daemon;
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM');
    await this.code;
  }

  private async run(argv: readonly string[]): Promise<void> {
    const stderr = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.text += chunk.toString();
        this.logged.emit('line');
        done();
      },
    });
    this.code = runCommand(DFDAEMON, (values, ctx) => serveNode(values, ctx, (options) => SwarmNode.start(options)), {
      argv: ['--drain-timeout', '0s', ...argv],
      env: {},
      stdout: stderr,
      stderr,
      readFile: () => {
        throw Object.assign(new Error('no file'), { code: 'ENOENT' });
      },
      onSignal: (listener) => {
        this.signal = listener;
        return () => undefined;
      },
      onUnhandled: () => () => undefined,
    });
    const ended = this.code.then(() => {
      throw new Error(this.text);
    });
    const ready = (async (): Promise<void> => {
      while (!this.text.includes('"msg":"ready"')) await new Promise((resolve) => this.logged.once('line', resolve));
    })();
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
  }
}
