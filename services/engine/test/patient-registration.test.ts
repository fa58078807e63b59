import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Agent } from 'undici';

import type { LivenessState } from '../src/links/liveness';
import { PatientRegistration } from '../src/links/patient-registration';

describe('a registration that is not answered', () => {
  const agent = new Agent();
  let server: Server;
  let looks: (boolean | undefined)[];

  beforeEach(async () => {
    looks = [];
    server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  afterAll(() => agent.destroy());

  /** @param states what comes of the looks at the supernode, the last again and again. */
  const register = async (...states: LivenessState[]): Promise<unknown> =>
    new PatientRegistration({
      name: 'one',
      url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/peer/registry`),
      headers: {},
      dispatcher: agent,
      liveness: {
        patience: 10,
        process: undefined,
        lookOfLate: async (_within, isGentle) => {
          looks.push(isGentle);
          return Promise.resolve(states[Math.min(looks.length, states.length) - 1] ?? 'gone');
        },
      },
      session: { heardAt: -Infinity, process: undefined },
      lookEvery: undefined,
      signal: new AbortController().signal,
    }).register('{}', { event: () => undefined, lost: () => undefined });

  it.each(['busy', 'answers'] as const)(
    'is given up after twenty times of silence at a supernode that %s',
    async (state) => {
      await expect(register(state)).rejects.toMatchObject({
        kind: 'gone',
        message: expect.stringMatching(
          /^supernode one runs, and has not answered a registration for \d\.\d s$/,
        ) as string,
      });
      expect(looks).toEqual(Array.from({ length: 20 }, () => true));
    },
  );

  it('is given up at once when its supernode hangs', async () => {
    await expect(register('busy', 'answers', 'hung')).rejects.toMatchObject({ kind: 'hung' });
    expect(looks).toHaveLength(3);
  });
});
