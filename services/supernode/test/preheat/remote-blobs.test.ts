import type { Server } from 'node:http';

import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { RemoteBlobs } from '../../src/preheat/remote-blobs';
import type { Owner, Replica } from '../../src/replicas/replica-set';
import { closed, listening } from '../classic/fixture';

const blob: BlobId = `sha256:${'ab'.repeat(32)}`;
const ID = 'c'.repeat(64);
const wanted = { blob, url: new URL(`http://origin.test/v2/a/blobs/${blob}`), headers: [] };

describe("a preheat of another replica's blob", () => {
  const servers: Server[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(closed));
  });

  /** How often replicas were asked. */
  let asked = 0;
  beforeEach(() => {
    asked = 0;
  });

  /** @param failures so many times it breaks off without an answer. Default: never. */
  async function replica(name: string, failures = 0): Promise<Replica> {
    const { server, port } = await listening((request, response) => {
      asked += 1;
      if (asked <= failures) {
        response.destroy();
        return;
      }
      const ordered = { ID };
      const finished = {
        ID,
        startTime: '2026-01-01T00:00:00.000Z',
        finishTime: '2026-01-01T00:00:01.000Z',
        status: 'SUCCESS',
        type: 'file',
        url: wanted.url.href,
        blobs: [],
      };
      response.end(JSON.stringify(request.method === 'POST' ? ordered : finished));
    });
    servers.push(server);
    return { name, id: '0'.repeat(32), key: 'k', ip: '127.0.0.1', port };
  }

  it('is the next owner when the first cannot be asked, and is fetched here only when nobody else owns it', async () => {
    const [first, second] = await Promise.all([replica('first'), replica('second')]);
    const lost: string[] = [];
    let isThere = true;
    const owner = (_blob: string, without: readonly string[] = []): Owner => {
      const owners = [...(isThere ? [first] : []), second].filter(({ name }) => !without.includes(name));
      const [next] = owners;
      return next === undefined ? { self: true } : { self: false, replica: next };
    };
    const log = { warn: (fields: object) => void lost.push((fields as { replica: string }).replica) };
    const remote = new RemoteBlobs({ owner }, log);
    const { signal } = new AbortController();
    const fetched = async (): Promise<unknown> => remote.fetch(wanted, signal, () => undefined);
    expect(await fetched()).toEqual({ ok: true });
    await closed(servers.shift()!);
    // The look at the replicas finds out as soon as it was asked for once more.
    isThere = false;
    const stale: Owner[] = [{ self: false, replica: first }];
    const late = new RemoteBlobs({ owner: (name, without) => stale.pop() ?? owner(name, without) }, log);
    expect(await late.fetch(wanted, signal, () => undefined)).toEqual({ ok: true });
    expect(lost).toEqual(['first']);
    await closed(servers.shift()!);
    const gone: Owner[] = [{ self: true }, { self: false, replica: second }];
    const alone = new RemoteBlobs({ owner: () => gone.pop() ?? { self: true } }, log);
    expect(await alone.fetch(wanted, signal, () => undefined)).toBeUndefined();
    expect(lost).toEqual(['first', 'second']);
  });

  it('is asked of its owner again, as long as that owns it, and no more when that does not', async () => {
    const lost: string[] = [];
    const log = { warn: (fields: object) => void lost.push((fields as { replica: string }).replica) };
    const { signal } = new AbortController();
    const first = await replica('first', 2);
    const steady = new RemoteBlobs(
      { owner: (_, without) => (without?.length === 0 ? { self: false, replica: first } : { self: true }) },
      log,
    );
    expect(await steady.fetch(wanted, signal, () => undefined)).toEqual({ ok: true });
    // Twice in vain, then the order and its end.
    expect([asked, lost]).toEqual([4, []]);
    asked = 0;
    const gone = await replica('gone', Infinity);
    const owners: Owner[] = [{ self: true }, { self: false, replica: gone }];
    const moved = new RemoteBlobs({ owner: () => owners.pop() ?? { self: true } }, log);
    expect(await moved.fetch(wanted, signal, () => undefined)).toBeUndefined();
    expect([asked, lost]).toEqual([1, ['gone']]);
  });
});
