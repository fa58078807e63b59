import type { Server } from 'node:http';

import { answerPeerFile, frameHeader, frameTail } from '@cdk8s-dragonfly/protocol';

import { closed, listening } from './fixture';

/** How a peer server answers (Dragonfly 0.x protocol, 5.2). */
export type PeerManner =
  /** 206, clipped at the end of the file. */
  | 'go'
  /** 200 with the length as asked: less than that comes when the range goes beyond the end. */
  | 'python'
  /** 404 to everything. */
  | 'forgetful';

/** The peer server of an original client: gives what its client has of one file. */
export class OriginalPeer {
  /** Requests for pieces so far. */
  requests = 0;
  private file: Buffer = Buffer.alloc(0);

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(manner: PeerManner): Promise<OriginalPeer> {
    const { server, port } = await listening((request, response) => {
      peer.requests += 1;
      const { range, piecenum, piecesize } = request.headers;
      const asked = { range, pieceNum: String(piecenum), pieceSize: String(piecesize) };
      const answer = answerPeerFile(asked, { size: peer.file.length, pieceSize: undefined });
      if (manner === 'forgetful' || answer.status !== 206) {
        response.writeHead(answer.status === 206 ? 404 : answer.status).end();
        return;
      }
      const content = peer.file.subarray(answer.from, answer.end);
      if (manner === 'go') {
        response.writeHead(206, { 'content-length': answer.framedLength });
        response.end(Buffer.concat([answer.header, content, frameTail()]));
        return;
      }
      const [first = 0, last = 0] =
        /(\d+)-(\d+)/
          .exec(range ?? '')
          ?.slice(1)
          .map(Number) ?? [];
      const length = last - first + 1;
      response.writeHead(200, { 'content-length': length, connection: 'close' });
      response.write(Buffer.concat([frameHeader(length - 5, Number(piecesize)), content, frameTail()]));
      response.end(() => request.socket.destroy());
    });
    const peer = new OriginalPeer(server, port);
    return peer;
  }

  /** The client's file so far. */
  offer(file: Buffer): void {
    this.file = file;
  }

  async stop(): Promise<void> {
    await closed(this.server);
  }
}
