import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Diagnosis, Finding } from '../../src/index';
import { runDoctor } from './run-dfget';

/** Matches a text, inside an object. */
export function like(pattern: RegExp | string): unknown {
  return typeof pattern === 'string' ? expect.stringContaining(pattern) : expect.stringMatching(pattern);
}

/** Where the doctor looks. */
export interface Surroundings {
  readonly mirror: string;
  readonly readyz: string;
  /** In which folder processes are told of. Default: those of this machine. */
  readonly proc?: string;
}

/** What is found with a daemon, of one subject; `--runtime none` unless it is about that. */
export async function findings(
  { mirror, readyz, proc }: Surroundings,
  subject: Finding['subject'],
  ...more: string[]
): Promise<[number, Pick<Finding, 'state' | 'says'>[], string]> {
  const runtime = more.includes('--runtime') ? [] : ['--runtime', 'none'];
  const argv = ['--mirror', mirror, '--readyz', readyz, '--output', 'json', ...runtime, ...more];
  const { code, out } = await runDoctor(argv, proc);
  const all = (JSON.parse(out) as Diagnosis).findings.filter((one) => one.subject === subject);
  return [code, all.map(({ state, says }) => ({ state, says })), all.map(({ advice = '' }) => advice).join('\n')];
}

/** What answers where something else is looked for. */
export class Answering {
  private readonly servers: Server[] = [];

  /** Starts another one. @param answer status and body of a path. @returns its URL. */
  async start(answer: (path: string) => [number, string]): Promise<string> {
    const server = createServer((request, response) => {
      const [status, body] = answer(request.url ?? '');
      response.writeHead(status, { connection: 'close' }).end(body);
    }).listen(0, '127.0.0.1');
    this.servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const server of this.servers.splice(0)) server.close();
  }
}
