import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '../src/refusal';
import type { Report, RuntimeReport } from '../src/report';
import { Watch, type WatchPorts } from '../src/watch';

const MIRROR = 'http://127.0.0.1:65001';
const report = (mode: string, outcome: RuntimeReport['outcome'], reason?: string): Report => ({
  mode,
  mirror: MIRROR,
  outcome: outcome === 'refused' ? 'refused' : 'done',
  runtimes: [{ runtime: 'docker', outcome, files: [], ...(reason === undefined ? {} : { reason }) }],
});

/** A node-mirror whose looks come out as they are listed; after the last one the watch is told to stop. */
class Story {
  readonly stop = new AbortController();
  readonly events: string[] = [];
  readonly warnings: unknown[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'watch-'));
  readonly onFile: string;

  constructor(
    private readonly looks: Report[],
    private readonly restored: Report = report('restore', 'restored'),
    onFile?: string,
  ) {
    this.onFile = onFile ?? join(this.folder, 'run/on');
  }

  async run(ports: Partial<WatchPorts> = {}): Promise<Report> {
    const nodeMirror = {
      apply: async (): Promise<Report> => {
        this.events.push(`apply ${existsSync(this.onFile) ? 'with' : 'without'} file`);
        const [next] = this.looks.splice(0, 1);
        if (this.looks.length === 0) this.stop.abort();
        return await Promise.resolve(next ?? report('apply', 'unchanged'));
      },
      restore: async ({ toTheEnd = false } = {}): Promise<Report> => {
        this.events.push(`restore ${toTheEnd ? '' : 'a part '}${existsSync(this.onFile) ? 'with' : 'without'} file`);
        return await Promise.resolve(this.restored);
      },
    };
    const watch = new Watch(
      nodeMirror,
      { intervalMs: 1, onFile: this.onFile },
      {
        log: {
          info: () => undefined,
          warn: (fields: unknown) => this.warnings.push(fields),
        },
        signal: this.stop.signal,
        deliver: async ({ mode, runtimes }) => {
          this.events.push(`told ${mode} ${runtimes[0]?.outcome ?? ''}`);
          await Promise.resolve();
        },
        ...ports,
      },
    );
    try {
      return await watch.run();
    } finally {
      this.events.push(`end ${existsSync(this.onFile) ? 'with' : 'without'} file`);
      rmSync(this.folder, { recursive: true });
    }
  }
}

test.each(['/proc/dragonfly/on', '/proc/dragonfly/run/on', '/dev/null/on', '/proc/version'])(
  'changes nothing where its file %s cannot be',
  async (onFile) => {
    const story = new Story([report('apply', 'changed')], undefined, onFile);
    await expect(story.run()).rejects.toThrow(`--on-file ${onFile} cannot be written, so nothing was changed: `);
    expect(story.events.filter((event) => !event.startsWith('end'))).toEqual([]);
  },
);

test('applies, looks again, tells what is new only, and takes the mirror off before its file goes', async () => {
  const story = new Story([
    report('apply', 'refused', 'not ready'),
    report('apply', 'refused', 'not ready'),
    report('apply', 'changed'),
    report('apply', 'unchanged'),
    report('apply', 'unchanged'),
    report('apply', 'changed'),
    report('apply', 'unchanged'),
  ]);
  await story.run();
  expect(story.events).toEqual([
    'apply with file',
    'told apply refused',
    'apply with file',
    'apply with file',
    'told apply changed',
    'apply with file',
    'told apply unchanged',
    'apply with file',
    'apply with file',
    'told apply changed',
    'apply with file',
    'restore with file',
    'told restore restored',
    'end without file',
  ]);
});

test('a mirror that could not be taken off keeps the file, so that the df-daemon waits', async () => {
  const story = new Story([report('apply', 'unchanged')], report('restore', 'refused', 'broken'));
  expect((await story.run()).outcome).toBe('refused');
  expect(story.events.at(-1)).toBe('end with file');
});

test('the taint goes once, and only when the node is as wanted', async () => {
  const story = new Story([
    report('apply', 'refused', 'not ready'),
    report('apply', 'changed'),
    report('apply', 'unchanged'),
    report('apply', 'unchanged'),
  ]);
  const answers = [new Refusal('the API is away'), true];
  const removeTaint = async (): Promise<boolean> => {
    story.events.push('taint');
    const [answer] = answers.splice(0, 1);
    if (answer instanceof Refusal) throw answer;
    return await Promise.resolve(answer ?? false);
  };
  await story.run({ removeTaint });
  expect(story.events.filter((event) => event === 'taint')).toHaveLength(2);
  expect(story.events.indexOf('taint')).toBeGreaterThan(story.events.indexOf('told apply changed'));
  expect(story.warnings).toEqual([{ reason: 'the API is away' }]);
});
