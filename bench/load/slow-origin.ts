import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';

/** How often each answer gets its next bytes, in ms. */
const STEP = 100;

/** An origin of endless patience: each file arrives at a fixed rate. Its bytes follow from the file's name. */
export class SlowOrigin {
  private readonly answers = new Set<ServerResponse>();
  private readonly timers = new Set<NodeJS.Timeout>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /**
   * @param rate bytes a second of each file
   * @param length bytes of each file
   */
  static async start(rate: number, length: number): Promise<SlowOrigin> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the origin has no port');
    const origin = new SlowOrigin(server, address.port);
    server.on('request', (request, response) => origin.give(request.url ?? '/', response, rate, length));
    return origin;
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    for (const answer of this.answers) answer.destroy();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private give(url: string, response: ServerResponse, rate: number, length: number): void {
    const portion = Buffer.alloc(Math.ceil((rate * STEP) / 1000), url);
    this.answers.add(response);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
    let left = length;
    const timer = setInterval(() => {
      const bytes = portion.subarray(0, Math.min(left, portion.length));
      left -= bytes.length;
      if (left > 0) {
        response.write(bytes);
        return;
      }
      clearInterval(timer);
      response.end(bytes);
    }, STEP);
    this.timers.add(timer);
    response.on('close', () => {
      clearInterval(timer);
      this.answers.delete(response);
    });
  }
}
