import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { lineOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Digest } from '@cdk8s-dragonfly/protocol';
import { Agent } from 'undici';

import { SupernodeSession } from '../src/links/supernode-session';

const blob: Digest = `sha256:${'ab'.repeat(32)}`;
const SILENCE = 400;

describe('a session with the supernode', () => {
  const heard = new EventEmitter();
  const streams: ServerResponse[] = [];
  let server: Server;
  let session: SupernodeSession;
  let answers = true;
  const agent = new Agent();

  beforeEach(async () => {
    answers = true;
    streams.splice(0);
    server = createServer((_request, response) => {
      response.writeHead(200).flushHeaders();
      streams.push(response);
      heard.emit('opened');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    session = new SupernodeSession({
      name: 'test',
      url: () => new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
      dispatcher: agent,
      patience: () => SILENCE,
      answersPing: () => Promise.resolve(answers),
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
  afterAll(() => agent.destroy());

  const opened = async (): Promise<ServerResponse> => {
    if (streams.length === 0) await once(heard, 'opened');
    return streams.shift()!;
  };

  it('passes on what is said of a blob', async () => {
    session.keepOpen('127.0.0.1');
    const stream = await opened();
    const event = once(heard, 'event');
    stream.write(lineOf({ type: 'hello', blobs: 1 }) + lineOf({ type: 'added', blob, blocks: [3] }));
    expect(await event).toEqual([{ type: 'added', blob, blocks: [3] }]);
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
    ['breaks', (stream: ServerResponse) => void stream.destroy(), 'other side closed'],
    [
      'says what is not of the protocol',
      (stream: ServerResponse) => stream.write('{"type":"x"}\n'),
      'not of the protocol',
    ],
    ['falls silent, pings included', () => (answers = false), `was silent for ${SILENCE / 2} ms`],
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

  it('tells of no loss when the stream falls silent and pings are answered: the supernode is busy', async () => {
    const lost = jest.fn();
    heard.on('lost', lost);
    session.keepOpen('127.0.0.1');
    await opened();
    const again = await opened();
    const event = once(heard, 'event');
    again.write(lineOf({ type: 'hello', blobs: 1 }) + lineOf({ type: 'share', blob, share: null }));
    await event;
    expect(lost).not.toHaveBeenCalled();
  });
});
