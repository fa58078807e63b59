import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { lineOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Digest } from '@cdk8s-dragonfly/protocol';

import type { LivenessState } from '../src/links/liveness';
import type { LinkFailure } from '../src/links/failure';
import { SupernodeSession } from '../src/links/supernode-session';

const blob: Digest = `sha256:${'ab'.repeat(32)}`;
const SILENCE = 400;

describe('a session with the supernode', () => {
  const heard = new EventEmitter();
  const streams: ServerResponse[] = [];
  let server: Server;
  let session: SupernodeSession;
  let state: LivenessState = 'answers';
  const seen = { looks: 0 };
  /** When sessions were asked for that were refused. */
  const refused: number[] = [];
  let refuses = false;
  /** Called when it is looked whether the supernode lives. */
  let looking: () => Promise<void> = () => Promise.resolve();

  beforeEach(async () => {
    state = 'answers';
    refuses = false;
    looking = () => Promise.resolve();
    streams.splice(0);
    refused.splice(0);
    server = createServer((_request, response) => {
      if (refuses) {
        refused.push(performance.now());
        response.writeHead(404).end();
        heard.emit('refused');
        return;
      }
      response.writeHead(200).flushHeaders();
      streams.push(response);
      heard.emit('opened');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    session = new SupernodeSession({
      name: 'test',
      url: () => new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
      timeouts: { connect: 5000, answer: 5000 },
      patience: () => SILENCE,
      lives: () => {
        seen.looks += 1;
        heard.emit('looked');
        return looking().then(() => state);
      },
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    });
    session.listen(blob, {
      event: (event) => heard.emit('event', event),
      lost: (reason) => heard.emit('lost', reason),
    });
    session.isRegistered(blob);
  });
  afterEach(async () => {
    await session.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    heard.removeAllListeners();
  });

  const opened = async (): Promise<ServerResponse> => {
    if (streams.length === 0) await once(heard, 'opened');
    return streams.shift()!;
  };

  /** Resolves when the session has looked twice whether the supernode lives. */
  const silentFor = async (stream: ServerResponse): Promise<ServerResponse> => {
    const { looks } = seen;
    while (seen.looks < looks + 2) await once(heard, 'looked');
    return stream;
  };

  it('passes on what is said of a blob', async () => {
    session.keepOpen('127.0.0.1');
    const stream = await opened();
    const event = once(heard, 'event');
    stream.write(lineOf({ type: 'hello', blobs: 1 }) + lineOf({ type: 'added', blob, blocks: [3] }));
    expect(await event).toEqual([{ type: 'added', blob, blocks: [3] }]);
  });

  it('is waited on for as long as the supernode says, and no longer once something is wanted', async () => {
    session.keepOpen('127.0.0.1');
    const stream = await opened();
    let looked = once(heard, 'looked');
    stream.write(lineOf({ type: 'ping', within: 1000 }));
    const calm = performance.now();
    await looked;
    expect(performance.now() - calm).toBeGreaterThan(900);
    stream.write(lineOf({ type: 'ping', within: 60_000 }) + lineOf({ type: 'added', blob, blocks: [1] }));
    await once(heard, 'event');
    looked = once(heard, 'looked');
    session.isRegistered(blob);
    await looked;
    looked = once(heard, 'looked');
    stream.write(lineOf({ type: 'ping', within: 60_000 }) + lineOf({ type: 'ping' }));
    await looked;
  });

  it('tells when the supernode has forgotten what was joined, and only then', async () => {
    session.keepOpen('127.0.0.1');
    const stream = await opened();
    const lost = once(heard, 'lost') as Promise<[Error]>;
    const event = once(heard, 'event');
    stream.write(lineOf({ type: 'hello', blobs: 1 }) + lineOf({ type: 'share', blob, share: null }));
    await event;
    stream.write(lineOf({ type: 'hello', blobs: 0 }));
    expect((await lost)[0].message).toBe('supernode test has forgotten this daemon');
  });

  it('takes no supernode for forgetful that says how many blobs it knows while another registration is under way', async () => {
    const lost = jest.fn();
    heard.on('lost', lost);
    const other: BlobId = `sha256:${'cd'.repeat(32)}`;
    session.keepOpen('127.0.0.1');
    // Its registration is not answered, or was after the session began to open.
    session.listen(other, { event: (event) => heard.emit('event', event), lost });
    session.isRegistered(other);
    const stream = await opened();
    const event = once(heard, 'event');
    stream.write(lineOf({ type: 'hello', blobs: 1 }) + lineOf({ type: 'share', blob: other, share: null }));
    await event;
    expect(lost).not.toHaveBeenCalled();
  });

  it.each([
    ['ends', (stream: ServerResponse) => void stream.end(), 'supernode test ended the session'],
    ['breaks', (stream: ServerResponse) => void stream.destroy(), 'the connection was closed'],
    [
      'says what is not of the protocol',
      (stream: ServerResponse) => stream.write('{"type":"x"}\n'),
      'not of the protocol',
    ],
    ['falls silent, and nobody is there any more', () => (state = 'gone'), 'supernode test is not there any more'],
  ])('tells of the loss when the stream %s, and opens another', async (_what, fault, message) => {
    session.keepOpen('127.0.0.1');
    const stream = await opened();
    const lost = once(heard, 'lost') as Promise<[Error]>;
    fault(stream);
    expect((await lost)[0].message).toContain(message);
    const again = await opened();
    const event = once(heard, 'event');
    again.write(lineOf({ type: 'share', blob, share: { index: 0, count: 1 } }));
    expect(await event).toEqual([{ type: 'share', blob, share: { index: 0, count: 1 } }]);
  });

  it('is opened at once for who registers while it is looked whether the supernode lives', async () => {
    session.keepOpen('127.0.0.1');
    const stream = await opened();
    refuses = true;
    stream.destroy();
    // After the second it would be asked for a second later.
    while (refused.length < 2) await once(heard, 'refused');
    let go: () => void = () => undefined;
    looking = () => new Promise((resolve) => (go = resolve));
    await once(heard, 'looked');
    refuses = false;
    session.keepOpen('127.0.0.1');
    const began = performance.now();
    go();
    await opened();
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('is asked for less and less often of one that answers pings and refuses it', async () => {
    refuses = true;
    session.keepOpen('127.0.0.1');
    while (refused.length < 3) await once(heard, 'refused');
    const [first = 0, second = 0, third = 0] = refused;
    expect(second - first).toBeLessThan(third - second);
    expect(third - second).toBeGreaterThanOrEqual(400);
    refuses = false;
    await opened();
  });

  it.each([
    ['silent', `was silent for ${SILENCE / 2} ms`],
    ['hung', 'supernode test hangs: its process does not run'],
  ] as const)('tells of the loss of one that is %s, and hears it when it goes on', async (is, message) => {
    state = is;
    session.keepOpen('127.0.0.1');
    const stream = await opened();
    const lost = once(heard, 'lost') as Promise<[LinkFailure]>;
    expect((await lost)[0]).toMatchObject({ kind: is, message: expect.stringContaining(message) as string });
    const event = once(heard, 'event');
    stream.write(lineOf({ type: 'share', blob, share: null }));
    expect(await event).toEqual([{ type: 'share', blob, share: null }]);
    expect(streams).toHaveLength(0);
  });

  it.each([
    ['is busy, as its pulse shows, and keeps the session', 'busy', 0],
    ['answers pings, and opens another session when nothing comes over this one for long', 'answers', 1],
  ] as const)('tells of no loss while the supernode %s', async (_what, is, others) => {
    const lost = jest.fn();
    heard.on('lost', lost);
    state = is;
    session.keepOpen('127.0.0.1');
    const first = await opened();
    const stream = others === 0 ? await silentFor(first) : await opened();
    const event = once(heard, 'event');
    stream.write(lineOf({ type: 'hello', blobs: 1 }) + lineOf({ type: 'share', blob, share: null }));
    await event;
    expect(lost).not.toHaveBeenCalled();
  });
});
