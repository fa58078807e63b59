import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';

import { Site } from './classic/fixture';
import { exchange } from './classic/http-exchange';
import { Profile } from './classic/profile';
import type { ProfileAnswer, Rule } from './classic/profile';
import { RecordedOrigin } from './classic/recorded-origin';
import { recordings, requestsOf } from './classic/recording';
import type { RecordedRequest } from './classic/recording';

let site: Site;
beforeEach(async () => {
  site = await Site.start();
});
afterEach(async () => {
  await site.stop();
});

/** Resolves when the whole file of a task can be had. */
async function untilWhole(taskId: string): Promise<void> {
  for (;;) {
    const path = `/download/${taskId.slice(0, 3)}/${taskId}`;
    // Its head tells.
    const asked = get({ host: '127.0.0.1', port: site.supernode.blocks.port, path, agent: false });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.destroy();
    if (answer.statusCode === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Sends the requests of a recording one after the other; gives the answers that are not as section 9 wants them. */
class Replay {
  readonly faults: string[] = [];
  private readonly origin = new RecordedOrigin(site);
  private readonly profile = new Profile(this.origin, { ip: '127.0.0.1', port: site.supernode.blocks.port });
  private readonly whole = new Set<string>();
  /** Ours by those of the recorded supernodes. */
  private readonly taskIds = new Map<string, string>();

  async send(recorded: RecordedRequest): Promise<void> {
    const { method, path } = recorded;
    const query = this.today(recorded.query);
    const body = this.today(recorded.body);
    const { rule, taskId } = this.rule(path, query, body);
    if (taskId !== undefined && recorded.givenTaskId !== undefined) this.taskIds.set(recorded.givenTaskId, taskId);
    const { port } = site.supernode.api;
    const target = query === '' ? path : `${path}?${query}`;
    const got = await exchange({ host: '127.0.0.1', port, path: target, method, ...(body === '' ? {} : { body }) });
    const text = got.body.toString();
    const isJson = got.status === 200 && got.headers['content-type']?.startsWith('application/json') === true;
    if (!isJson || !rule.fits(JSON.parse(text) as ProfileAnswer)) {
      this.faults.push(`${recorded.t}: ${method} ${target} ${body} got ${got.status} ${text}, not ${rule.wanted}`);
    }
    if (taskId === undefined || !this.profile.isWhole(taskId) || this.whole.has(taskId)) return;
    await untilWhole(taskId);
    this.whole.add(taskId);
  }

  private today(text: string): string {
    return [...this.taskIds].reduce((all, [before, now]) => all.replaceAll(before, now), this.origin.today(text));
  }

  private rule(path: string, query: string, body: string): { rule: Rule; taskId?: string | undefined } {
    switch (path) {
      case '/peer/registry':
        return this.profile.registry(body);
      case '/peer/task':
        return { rule: this.profile.task(query) };
      case '/peer/piece/suc':
        return { rule: this.profile.stored(query) };
      case '/peer/service/down':
        return { rule: this.profile.down(query) };
      case '/peer/piece/error':
        return { rule: this.profile.error() };
      default:
        throw new Error(`section 9 says nothing of ${path}`);
    }
  }
}

describe('to what original clients once sent, the answers are those of section 9', () => {
  it.each(recordings())('%s', async (name) => {
    const replay = new Replay();
    for (const request of requestsOf(name)) await replay.send(request);
    expect(replay.faults).toEqual([]);
  });

  it('for every request that was recorded', () => {
    expect(recordings()).toHaveLength(16);
    expect(recordings().flatMap(requestsOf)).toHaveLength(660);
  });
});
