import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Counts the answers that are not out yet. */
export class RunningAnswers {
  private running = 0;
  /** Those that wait for the answer to the request before them, by connection: when that closes, Node.js tells only the one that was under way. */
  private readonly queued = new WeakMap<Socket, Set<ServerResponse>>();

  get count(): number {
    return this.running;
  }

  /** An answer is begun. */
  begin({ socket }: IncomingMessage, response: ServerResponse): void {
    this.running += 1;
    if (response.socket !== null) {
      response.on('close', this.ended);
      return;
    }
    const queued = this.queuedOn(socket).add(response);
    response.on('close', () => (queued.delete(response) ? this.ended() : undefined));
  }

  private readonly ended = (): void => void (this.running -= 1);

  private queuedOn(socket: Socket): Set<ServerResponse> {
    const known = this.queued.get(socket);
    if (known !== undefined) return known;
    const queued = new Set<ServerResponse>();
    this.queued.set(socket, queued);
    socket.once('close', () => {
      this.running -= queued.size;
      queued.clear();
    });
    return queued;
  }
}
