import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import { selfSigned } from '../../services/origin/test/certificate';

/** Where dockerd looks for images of docker.io. */
const NAME = 'registry-1.docker.io';
const HOSTS = '/etc/hosts';

/** docker.io as runtimes see it that have no mirror: by name and TLS, in front of a registry of the test. */
export class Hub {
  private constructor(
    private readonly server: Server,
    private readonly hosts: string,
    /** A file with the certificate that is to be trusted. */
    readonly authority: string,
  ) {}

  /**
   * @param ip of the tests themselves; its port 443 is taken
   * @param registry `HOST:PORT`
   * @param authority where its certificate is written
   */
  static async start(ip: string, registry: string, authority: string): Promise<Hub> {
    const { key, cert } = selfSigned([NAME]);
    writeFileSync(authority, cert);
    const [host, port] = registry.split(':');
    const server = createServer({ key, cert }, (incoming, response) => {
      const { method, url, headers } = incoming;
      const onward = request({ host, port, method, path: url, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      onward.end();
    });
    server.listen(443, ip);
    await once(server, 'listening');
    const hosts = readFileSync(HOSTS, 'utf8');
    appendFileSync(HOSTS, `\n${ip} ${NAME}\n`);
    return new Hub(server, hosts, authority);
  }

  async stop(): Promise<void> {
    writeFileSync(HOSTS, this.hosts);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
