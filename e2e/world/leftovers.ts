import { readdirSync, readFileSync } from 'node:fs';
import { run } from './run';

/** What can be left behind, one line a thing. The namespaces of the tests hold nothing of anybody else. */
export class Leftovers {
  private constructor(private readonly before: ReadonlySet<string>) {}

  /** Remembers what is there before the tests begin. */
  static async remember(): Promise<Leftovers> {
    return new Leftovers(new Set(await inventory()));
  }

  /** What has come since and is still there. */
  async list(): Promise<string[]> {
    return (await inventory()).filter((thing) => !this.before.has(thing));
  }
}

async function inventory(): Promise<string[]> {
  const namespaces = (await run(['ip', 'netns', 'list'])).split('\n').map((line) => line.split(' ')[0] ?? '');
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const links = readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? []);
  return [
    ...namespaces.filter((name) => name !== '').map((name) => `network namespace ${name}`),
    ...mounts.filter((line) => line !== '').map((line) => `mount ${line}`),
    ...links.map((name) => `link ${name}`),
    ...processes().map((line) => `process ${line}`),
  ];
}

function processes(): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`];
      } catch (error) {
        // It ended between the listing and the look.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH')
          return [];
        throw error;
      }
    });
}
