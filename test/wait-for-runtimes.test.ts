import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dragonfly } from '../src';
import { podOf } from './support/pod';
import { chart, manifestsOf } from './support/synth';

/** The preStop hook of a df-daemon beside a node-mirror, looking at a file of the test. */
class Hook {
  readonly folder = mkdtempSync(join(tmpdir(), 'wait-'));
  readonly file = join(this.folder, 'mirror-on');
  private child: ChildProcess | undefined;

  /** @returns its exit code, when it has ended */
  async run(): Promise<number | null> {
    const scope = chart();
    new Dragonfly(scope, 'dragonfly', {
      supernodeImage: 'example/supernode:1',
      daemonImage: 'example/dfdaemon:1',
      daemon: { configureRuntime: { image: 'example/node-mirror:1' } },
    });
    const [daemon] = podOf(manifestsOf(scope), 'DaemonSet').containers as unknown as [
      { lifecycle: { preStop: { exec: { command: string[] } } } },
    ];
    const [, ...args] = daemon.lifecycle.preStop.exec.command;
    const script = args.map((arg) => arg.replaceAll('/run/dragonfly/mirror-on', this.file));
    this.child = spawn(process.execPath, script, { stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = (await once(this.child, 'exit')) as [number | null];
    return code;
  }

  get running(): boolean {
    return this.child?.exitCode === null;
  }

  remove(): void {
    this.child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true });
  }
}

/** As node-mirror writes it: boot, PID namespace, PID and time of start. */
function identityOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return `boot ${readlinkSync('/proc/self/ns/pid')} ${pid} ${started}`;
}

describe('the hook that holds a df-daemon back while runtimes have the mirror', () => {
  let hook: Hook;
  beforeEach(() => {
    hook = new Hook();
  });
  afterEach(() => {
    hook.remove();
  });

  it('ends at once when none has it', async () => {
    expect(await hook.run()).toBe(0);
  });

  it('ends at once when the node-mirror was killed, and nobody will take the mirror off', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    writeFileSync(hook.file, identityOf(child.pid ?? 0));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await hook.run()).toBe(0);
  });

  it('ends when the node-mirror has removed the file, and not before', async () => {
    writeFileSync(hook.file, identityOf(process.pid));
    const ended = hook.run();
    const other = new Hook();
    expect(await other.run()).toBe(0);
    other.remove();
    expect(hook.running).toBe(true);
    rmSync(hook.file);
    expect(await ended).toBe(0);
  });
});
