import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';

import { BlobUnavailable } from '@cdk8s-dragonfly/engine';
import type { SwarmNode } from '@cdk8s-dragonfly/engine';
import { peerFilePath, pieceCount, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { exchange } from '../../services/supernode/test/classic/http-exchange';
import { recordings, runsOf } from './recorded-run';
import type { RecordedRun } from './recorded-run';
import { ReplayedSupernode } from './replayed-supernode';
import { Swarm, readAll } from './swarm';

const PIECE = 4 * 1024 * 1024;

/** In milliseconds. Together they are how long a swarm that brings nothing is waited for, as it is in some runs. */
const WAITS = { originFirstByteTimeout: 7000, originStallTimeout: 3000 };

/** So many runs go on at a time: those that wait are fewer, and the others go on beside them. */
const AT_A_TIME = 24;

/** Nodes and an origin; the supernodes are replayed. */
let swarm: Swarm;
const supernodes: ReplayedSupernode[] = [];

async function begin(): Promise<void> {
  swarm = await Swarm.start(0);
}

async function end(): Promise<void> {
  await swarm.stop();
  await Promise.all(supernodes.splice(0).map((supernode) => supernode.stop()));
}

async function addNode(ports: readonly number[]): Promise<SwarmNode> {
  return swarm.addNode(undefined, [...ports], WAITS);
}

async function replay(run: RecordedRun, content: Buffer): Promise<ReplayedSupernode> {
  const supernode = await ReplayedSupernode.start(run, content);
  supernodes.push(supernode);
  return supernode;
}

function runOf(file: string, name: string): RecordedRun {
  const run = runsOf(recordings().find((other) => other.startsWith(file)) ?? '').find((other) => other.name === name);
  if (run === undefined) throw new Error(`${file} has no run ${name}`);
  return run;
}

/** The Python client went to the origin on code 603 while pieces ran; we go on, as the Go ones do. */
const GOES_ON = '10-dfget-v0.2.0-scripted-answers.json 14';

const contents = new Map<number, { readonly content: Buffer; readonly blob: BlobId }>();

/** Runs have nodes and supernodes of their own, so those of one length may pull the same bytes: they are made and hashed once. */
function contentOf(length: number): { readonly content: Buffer; readonly blob: BlobId } {
  let known = contents.get(length);
  if (known === undefined) {
    const content = randomBytes(length);
    known = { content, blob: `sha256:${createHash('sha256').update(content).digest('hex')}` };
    contents.set(length, known);
  }
  return known;
}

/** How a pull through one recorded supernode ended. @param file of the recording. */
async function pull(file: string, run: RecordedRun): Promise<object> {
  const { content, blob } = contentOf(run.length);
  const supernode = await replay(run, content);
  const node = await addNode([supernode.port]);
  const url = swarm.origin.addAt(`/v2/${file}/${run.name}/blobs/${blob}`, content);
  if (run.originStatus >= 400) statuses.set(url.pathname, run.originStatus);
  const ended = await readAll(node, { blob, url }).catch((error: unknown) => error);
  const { supernode: own, peer, origin: direct } = node.traffic;
  const pieces = pieceCount(content.length, PIECE);
  const limit = AbortSignal.timeout(60_000);
  // The bytes are here before all reports have been: a daemon that stops takes back what it has told, and tells no more.
  const isTold = (): boolean => [...supernode.stored.values()].some(({ size }) => size === pieces);
  while (Buffer.isBuffer(ended) && own + peer === run.length && run.length > 0 && !isTold() && !limit.aborted) {
    await once(supernode.reports, 'stored', { signal: limit }).catch(() => undefined);
  }
  await swarm.stopNode(node);
  if (ended instanceof BlobUnavailable) return { run: run.name, status: ended.status };
  if (!Buffer.isBuffer(ended)) throw ended;
  const shared = [...supernode.stored.values()].map(({ size }) => size);
  return {
    run: run.name,
    isRight: content.equals(ended),
    fromSwarm: direct === 0 && own + peer === content.length,
    // What was told to be here was taken back at the end.
    shared: shared.length === 1 && shared[0] === pieces && supernode.left.length === 1,
  };
}

/** Whether the client was told that it has all. */
const isFinished = ({ answers }: RecordedRun): boolean => answers.some(({ json }) => json?.code === 600);

/** What the origin answers instead, by path. */
const statuses = new Map<string, number>();

describe('a daemon at a recorded original supernode', () => {
  /** How each run ended, by recording. */
  const ended = new Map<string, unknown[]>();

  beforeAll(async () => {
    await begin();
    swarm.origin.fault = (request, response) => {
      const status = statuses.get(request.url ?? '');
      if (status !== undefined) response.writeHead(status).end();
      return status !== undefined;
    };
    const all = recordings().flatMap((file) => runsOf(file).map((run, index) => ({ file, run, index })));
    // Those that wait begin first.
    all.sort((one, other) => Number(isFinished(one.run)) - Number(isFinished(other.run)));
    const work = async (): Promise<void> => {
      for (let next = all.shift(); next !== undefined; next = all.shift()) {
        const { file, run, index } = next;
        const others = ended.get(file) ?? [];
        ended.set(file, others);
        // What fails is told by the test of its recording.
        others[index] = await pull(file, run).catch((error: unknown) => error);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  }, 300_000);
  afterAll(end);

  it.each(recordings())('gets the right bytes in each run of %s', (file) => {
    const either: unknown = expect.any(Boolean);
    expect(ended.get(file)).toEqual(
      runsOf(file).map((run) => {
        const { name, registrations, originStatus, length } = run;
        if (originStatus >= 400) return { run: name, status: originStatus };
        const took = registrations[0]?.json?.code === 200 || registrations[0]?.json?.code === 609;
        const isWhole = (isFinished(run) && took) || `${file} ${name}` === GOES_ON;
        // One that refuses at first is asked again, while the origin gives what the reader waits for: who is first is a matter of time.
        const tookLater = registrations[1]?.json?.code === 200 && isFinished(run);
        if (tookLater) {
          return { run: name, isRight: true, fromSwarm: either, shared: either };
        }
        return { run: name, isRight: true, fromSwarm: isWhole || length === 0, shared: isWhole && length > 0 };
      }),
    );
  });
});

describe('a daemon at an original supernode', () => {
  beforeEach(begin);
  afterEach(end);

  it('goes on at the next supernode when one dies in the middle, and at last at the origin from where it was', async () => {
    const run = runOf('05', '3');
    const content = randomBytes(run.length);
    const dying = async (): Promise<ReplayedSupernode> => {
      const supernode = await replay(run, content);
      supernode.spoil = (framed) => {
        // It has been told of a piece that is on disk.
        if (supernode.stored.size > 0) supernode.break();
        return framed;
      };
      return supernode;
    };
    const [first, second, whole] = [await dying(), await dying(), await replay(run, content)];
    const { blob, url } = swarm.origin.add(content);
    const helped = await addNode([first.port, whole.port]);
    expect(content.equals(await readAll(helped, { blob, url }))).toBe(true);
    expect(helped.traffic.origin).toBe(0);
    const alone = await addNode([second.port]);
    expect(content.equals(await readAll(alone, { blob, url }))).toBe(true);
    const { supernode, peer, origin: direct } = alone.traffic;
    expect(supernode + peer).toBeGreaterThan(0);
    expect(supernode + peer + direct).toBe(content.length);
  });

  it('goes on at the origin with a file without a digest, too', async () => {
    const run = runOf('05', '3');
    const content = randomBytes(run.length);
    const supernode = await replay(run, content);
    supernode.spoil = (framed) => {
      if (supernode.stored.size > 0) supernode.break();
      return framed;
    };
    const node = await addNode([supernode.port]);
    const { url } = swarm.origin.add(content);
    const blob: BlobId = `task:${taskIdOf({ taskUrl: url.href })}`;
    expect(content.equals(await readAll(node, { blob, url }))).toBe(true);
    const { supernode: own, peer, origin: direct } = node.traffic;
    expect(own + peer).toBeGreaterThan(0);
    expect(own + peer + direct).toBe(content.length);
  });

  it('fetches a piece again whose bytes do not have their MD5', async () => {
    const run = runOf('05', '1');
    const content = randomBytes(run.length);
    const supernode = await replay(run, content);
    const spoiled = new Set<number>();
    supernode.spoil = (framed, piece) => {
      if (spoiled.has(piece)) return framed;
      spoiled.add(piece);
      return Buffer.from(framed).fill(0x55, 1000, 1010);
    };
    const node = await addNode([supernode.port]);
    const { blob, url } = swarm.origin.add(content);
    expect(content.equals(await readAll(node, { blob, url }))).toBe(true);
    expect(node.traffic).toMatchObject({ supernode: content.length, origin: 0 });
  });

  it('ends a pull whose digest is wrong, shares none of it, and gets the blob from the origin the next time', async () => {
    // Go supernodes tell no MD5.
    const run = runOf('01', '1');
    const content = randomBytes(run.length);
    const supernode = await replay(run, content);
    supernode.spoil = (framed, piece) => (piece === 3 ? Buffer.from(framed).fill(0x55, 1000, 1010) : framed);
    const node = await addNode([supernode.port]);
    const { blob, url } = swarm.origin.add(content);
    const headers = { range: `bytes=0-${PIECE - 1}`, pieceNum: '0', pieceSize: `${PIECE}` };
    const given: number[] = [];
    const read = readAll(node, { blob, url }, { from: 0 }, async (sum) => {
      if (sum < PIECE || given.length > 0) return;
      const asked = await exchange({ host: '127.0.0.1', port: node.peerPort, path: peerFilePath(blob), headers });
      given.push(asked.status);
    });
    await expect(read).rejects.toMatchObject({ reason: 'digest-mismatch' });
    expect(given).toEqual([404]);
    expect([...supernode.stored]).toEqual([]);
    expect(content.equals(await readAll(node, { blob, url }))).toBe(true);
    expect(node.traffic.origin).toBe(content.length);
  });

  it('checks a file without a digest by the MD5 that the supernode tells at the end', async () => {
    const run = runOf('08', '1');
    const content = randomBytes(run.length);
    const url = swarm.origin.addAt('/plain.bin', content);
    const blob: BlobId = `task:${taskIdOf({ taskUrl: url.href })}`;
    const right = await replay(run, content);
    expect(content.equals(await readAll(await addNode([right.port]), { blob, url }))).toBe(true);
    const wrong = await replay({ ...run, answers: run.answers.map(withOtherMd5) }, content);
    wrong.tellsMd5AsRecorded = true;
    await expect(readAll(await addNode([wrong.port]), { blob, url })).rejects.toMatchObject({
      reason: 'digest-mismatch',
    });
  });
});

function withOtherMd5(answer: RecordedRun['answers'][number]): RecordedRun['answers'][number] {
  if (answer.json?.code !== 600) return answer;
  const json = { code: 600, data: { ...(answer.json.data as object), md5: '0'.repeat(32) } };
  return { ...answer, json, text: JSON.stringify(json) };
}
