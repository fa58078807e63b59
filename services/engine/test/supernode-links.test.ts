import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  NATIVE_VERSION,
  REPLICA_PATH,
  SESSION_PATH,
  lineOf,
  publicKeyText,
  registeredAnswer,
  type Digest,
  type NativeRegistration,
} from '@cdk8s-dragonfly/protocol';

import type { Intake } from '../src/download/intake';
import { Membership } from '../src/download/membership';
import type { Member } from '../src/download/membership';
import { SteadyClock } from '../src/links/steady-clock';
import { SupernodeLinks } from '../src/links/supernode-links';
import { settled, until } from './swarm-of-servers';

const blobOf = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const [OURS, OTHERS, THIRD] = [blobOf('a'), blobOf('b'), blobOf('c')];
const PROCESS = 'd'.repeat(32);
const KEY = publicKeyText(generateKeyPairSync('ed25519').privateKey);

/** A supernode that is reached under two addresses, and has one session for a daemon. */
describe('a supernode under two names', () => {
  const clock = new SteadyClock();
  let server: Server;
  let port: number;
  let links: SupernodeLinks;
  let linksTo: (...hosts: readonly string[]) => SupernodeLinks;
  /** Which process answers under an address. */
  let processAt: (host: string) => string;
  /** The addresses that were asked which process is there. */
  let lookedAt: string[];
  /** Where blobs were registered that nobody is sent on with. */
  let registeredAt: string[];
  /** The addresses that sessions were opened at, and their numbers. */
  let opened: string[];
  let numbers: number[];
  let session: ServerResponse | undefined;
  let sessions: Map<string, ServerResponse>;
  /** What registrations of a blob are sent to; undefined: they are taken in. */
  let sentTo: (blob: string) => Extract<NativeRegistration, { owner: object }>['owner'] | undefined;

  beforeEach(async () => {
    [opened, numbers, session] = [[], [], undefined];
    sessions = new Map();
    [lookedAt, registeredAt] = [[], []];
    processAt = () => PROCESS;
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://supernode');
      const { host = '' } = request.headers;
      const process = processAt(host);
      if (pathname === SESSION_PATH) {
        sessions.get(process)?.destroy();
        sessions.set(process, response);
        session = response;
        opened.push(host);
        numbers.push(Number(searchParams.get('number')));
        response.write(lineOf({ type: 'hello', blobs: 9, process }));
        return;
      }
      if (pathname === REPLICA_PATH) {
        lookedAt.push(host);
        return void response.end(JSON.stringify({ id: process, key: KEY, ip: '127.0.0.1', port }));
      }
      if (request.method !== 'POST') return void response.end('OK');
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.once('end', () => {
        const { native } = JSON.parse(text) as { native: { blob: Digest; redirected?: boolean } };
        const { blob, redirected } = native;
        const owner = redirected === true ? undefined : sentTo(blob);
        if (owner === undefined) registeredAt.push(host);
        const at = owner === undefined ? { key: KEY, blocks: { ip: '127.0.0.1', port: 9 } } : { owner };
        const named = { taskId: 'ef'.repeat(32), length: undefined, pieceSize: 4 * 1024 * 1024 };
        response.end(JSON.stringify(registeredAnswer(named, { version: NATIVE_VERSION, blob, ...at })));
      });
    }).listen(0, '0.0.0.0');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    linksTo = (...hosts) =>
      new SupernodeLinks(
        hosts.map((host) => ({ host, port })),
        {
          identity: { cid: 'me', key: 'secret', ip: '127.0.0.1', port: 15_001 },
          connectTimeout: 1000,
          silence: 60_000,
          busy: 60_000,
          clock,
          holdings: () => [],
          log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
        },
      );
    links = linksTo('127.0.0.2');
  });
  afterEach(async () => {
    await links.stop();
    server.closeAllConnections();
    server.close();
  });
  afterAll(() => clock.stop());

  /** Joins a blob's swarm; returns the states that are heard. */
  const join = async (blob: Digest): Promise<{ heard: string[]; leave: () => void }> => {
    const heard: string[] = [];
    // One that ends because of another is taken for lost first: downloads register again.
    const listener = { event: ({ type }: { type: string }) => void heard.push(type), lost: () => undefined };
    const at = await links.join({ blob, url: new URL(`http://origin/v2/a/blobs/${blob}`), headers: [] }, listener);
    if (!('link' in at)) throw new Error('it was taken for an original one');
    return { heard, leave: () => at.link.leave(blob, listener) };
  };
  const say = (blob: Digest): void => void session?.write(lineOf({ type: 'added', blob, blocks: [1] }));

  it.each([
    ['the name by which replicas know it', () => ({ name: `127.0.0.2:${port}` })],
    ['its process', () => ({ process: PROCESS })],
  ])('is known by %s, and has one session', async (_by, told) => {
    sentTo = (blob) => (blob === OTHERS ? { ip: '127.0.0.1', port, ...told() } : undefined);
    const ours = await join(OURS);
    await until(() => opened.length === 1);
    const others = await join(OTHERS);
    say(OURS);
    say(OTHERS);
    await until(() => ours.heard.length === 1 && others.heard.length === 1);
    await settled();
    expect([opened, ours.heard, others.heard]).toEqual([[`127.0.0.2:${port}`], ['added'], ['added']]);
  });

  it('has one session after all when neither is told, under the name that was configured', async () => {
    sentTo = (blob) => (blob === OURS ? undefined : { ip: '127.0.0.1', port });
    const others = await join(OTHERS);
    await until(() => opened.length === 1);
    const ours = await join(OURS);
    await until(() => opened.length === 2);
    await settled();
    say(OTHERS);
    say(OURS);
    await until(() => ours.heard.length === 1 && others.heard.length === 1);
    // Whoever is sent there from now on uses that one.
    const third = await join(THIRD);
    say(THIRD);
    await until(() => third.heard.length === 1);
    expect(opened).toEqual([`127.0.0.1:${port}`, `127.0.0.2:${port}`]);
    expect(numbers).toEqual([1, 2]);
    others.leave();
    say(OTHERS);
    say(OURS);
    await until(() => ours.heard.length === 2);
    expect(others.heard).toEqual(['added']);
  });

  it('goes on telling a download that registers again when its first session was handed over', async () => {
    sentTo = (blob) => (blob === OURS ? undefined : { ip: '127.0.0.1', port });
    let heard = 0;
    const member = { event: () => (heard += 1), lost: () => undefined, joined: () => undefined };
    const intake = {
      request: { blob: OTHERS, url: new URL(`http://origin/v2/a/blobs/${OTHERS}`), headers: [] },
      stored: () => undefined,
      finished: () => false,
    };
    const tools = { clock, log: { debug: () => undefined }, supernodes: links, timeouts: { busy: 60_000 } };
    const membership = new Membership(intake as unknown as Intake, tools as never, member as unknown as Member);
    try {
      expect(await membership.join()).toBe(true);
      await until(() => opened.length === 1);
      await join(OURS);
      await until(() => opened.length === 2);
      await settled();
      expect(await membership.join()).toBe(true);
      say(OTHERS);
      await until(() => heard === 1);
    } finally {
      membership.leave();
    }
  });

  describe('that are both configured', () => {
    const [first, second] = ['127.0.0.2', '127.0.0.3'] as const;
    const NEXT = 'e'.repeat(32);
    const hosts = (): string[] => opened.map((host) => host.replace(/:.*/, ''));
    beforeEach(async () => {
      await links.stop();
      links = linksTo(first, second);
      sentTo = () => undefined;
      // The second finds that the first has its session there.
      await join(OURS);
      await until(() => opened.length === 1);
      links.announce();
      await until(() => lookedAt.length === 1);
      await settled();
      expect([hosts(), lookedAt]).toEqual([[first], [`${second}:${port}`]]);
    });

    it('has one session after it was started anew, too', async () => {
      processAt = () => NEXT;
      session?.destroy();
      await until(() => opened.length === 2 && lookedAt.length === 2);
      await settled();
      expect([hosts(), lookedAt.at(-1)]).toEqual([[first, first], `${second}:${port}`]);
    });

    it('has a session under the second again when the first leads elsewhere', async () => {
      processAt = (host) => (host.startsWith(first) ? NEXT : PROCESS);
      session?.destroy();
      await until(() => opened.length === 3);
      expect(hosts()).toEqual([first, first, second]);
    });

    it('is asked under the second as soon as it is told that another process is there', async () => {
      const other = 'a'.repeat(32);
      processAt = (host) => (host.startsWith(second) ? other : PROCESS);
      sentTo = (blob) => (blob === OTHERS ? { ip: second, port, process: other } : undefined);
      await join(OTHERS);
      await until(() => opened.length === 2);
      expect([registeredAt.at(-1), hosts()]).toEqual([`${second}:${port}`, [first, second]]);
    });
  });
});
