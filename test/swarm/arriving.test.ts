import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

import { ARRIVING_HEADER, Grid, blockPath, isAttested, readAttestation } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';

import { Swarm } from './swarm';

const MIB = 1024 * 1024;

describe('a block that is still arriving at the supernode', () => {
  let swarm: Swarm;
  const content = randomBytes(3 * MIB);
  const grid = new Grid(4 * MIB);
  let blob: Digest;
  let fromOrigin: ServerResponse;

  /** The origin has begun to answer and has sent no byte of the content. */
  beforeEach(async () => {
    swarm = await Swarm.start();
    const added = swarm.origin.add(content);
    ({ blob } = added);
    const asked = new Promise<ServerResponse>((resolve) => {
      swarm.origin.fault = (_request, response) => {
        response.writeHead(200, { 'content-length': content.length }).flushHeaders();
        resolve(response);
        return true;
      };
    });
    await swarm.addFalsePeer({ ...added, blocks: 0 }, (_index, _request, response) => response.writeHead(404).end());
    fromOrigin = await asked;
  });
  afterEach(() => swarm.stop());

  async function ask(index: number): Promise<IncomingMessage> {
    const url = `http://127.0.0.1:${swarm.blocksPort}${blockPath(blob, index)}`;
    const asked = get(url, { agent: false, headers: { [ARRIVING_HEADER]: '1' } });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer;
  }

  /** The same as soon as the supernode has taken note of the origin's answer. */
  async function askSoon(index: number): Promise<IncomingMessage> {
    for (;;) {
      const answer = await ask(index);
      if (answer.statusCode !== 404) return answer;
      answer.resume();
    }
  }

  it('is passed on as it comes, with its attestation behind it', async () => {
    fromOrigin.write(content.subarray(0, 200_000));
    const answer = await askSoon(0);
    expect(answer.headers[ARRIVING_HEADER]).toBeDefined();
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(answer, 'data');
    const early = Buffer.concat(chunks);
    expect(early.length).toBeGreaterThan(0);
    expect(early.length).toBeLessThanOrEqual(200_000);
    fromOrigin.write(content.subarray(200_000));
    await once(answer, 'end');
    const all = Buffer.concat(chunks);
    const { length } = grid.span(0);
    const bytes = all.subarray(0, length);
    expect(bytes.equals(content.subarray(0, length))).toBe(true);
    const { hash, signature } = readAttestation(all.subarray(length));
    expect(hash.equals(createHash('sha256').update(bytes).digest())).toBe(true);
    const key = createPublicKey(await readFile(join(swarm.home, 'signing-key.pem')));
    expect(isAttested({ blob, pieceSize: grid.pieceSize, index: 0, length, hash }, signature, key)).toBe(true);
  });

  it('is refused when it will not come soon, and when the supernode stops', async () => {
    fromOrigin.write(content.subarray(0, 500_000));
    // It has begun to arrive.
    const begun = (await askSoon(1)).resume();
    const cut = once(begun, 'end').catch((error: unknown) => error);
    const waiting = ask(2);
    expect((await ask(3)).statusCode).toBe(404);
    const began = performance.now();
    await swarm.stopSupernode();
    expect((await waiting).statusCode).toBe(404);
    expect(await cut).toMatchObject({ message: 'aborted' });
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
