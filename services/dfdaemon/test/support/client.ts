import { once } from 'node:events';
import { request } from 'node:http';
import type { Agent, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** An answer as a client sees it. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Whether the message ended as HTTP says that it must. */
  readonly complete: boolean;
}

/** What to send. */
export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent | false;
}

/** One request to a port of loopback, to the end of the answer, clean or not. */
export async function ask(port: number, path: string, question: Question = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, agent = false } = question;
  const sent = request({ host: '127.0.0.1', port, path, method, headers, agent });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    response.once('end', () => resolve());
    response.once('error', () => resolve());
  });
  const { statusCode: status = 0, headers: answered, rawHeaders, complete } = response;
  return { status, headers: answered, rawHeaders, complete, body: Buffer.concat(chunks) };
}

/** A bare connection that has sent `text`. */
export async function say(port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** Everything that comes until the other side closes. */
export async function hear(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}
