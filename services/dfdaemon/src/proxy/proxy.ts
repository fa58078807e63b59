import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';

import { Connections, OriginError, Relay, guardedLookup, systemResolver } from '@cdk8s-dragonfly/origin';
import type { OriginRules, Outward } from '@cdk8s-dragonfly/origin';

import type { Patience } from '../mirror/exchange';
import { handle } from '../mirror/mirror-handler';
import type { MirrorParts } from '../mirror/mirror-handler';
import { route } from '../mirror/route';
import type { Certificates } from './certificates';
import { absoluteTarget, connectTarget, originForm } from './destination';
import { passOn } from './pass-on';
import { decide } from './rules';
import type { Pattern, ProxyRule } from './rules';
import { Tunnel, openFarEnd } from './tunnel';

/** What the proxy is made of. */
export interface ProxyOptions {
  readonly rules: readonly ProxyRule[];
  /** For which `host:port` TLS is ended here; only with `certificates`. */
  readonly hijack: readonly Pattern[];
  readonly certificates: { get(): Certificates } | undefined;
  /** How origins are reached. */
  readonly outward: Outward;
  /** Where requests may go. */
  readonly originRules: OriginRules;
  /** Whether clients that are not on this machine may use it. */
  readonly forAll: boolean;
  /** What pulls through the proxy share with those through the mirror. */
  readonly pulling: Omit<MirrorParts, 'upstreams' | 'registry'>;
  readonly patience: Patience;
  /** In milliseconds. */
  readonly connectTimeout: number;
  readonly firstByteTimeout: number;
  readonly stallTimeout: number;
  /** Limits of the server behind connections whose TLS is ended here: those of the mirror. */
  readonly server: ServerOptions;
  readonly log: { debug(fields: object, message: string): void; info(fields: object, message: string): void };
}

/** How long a client may take for its TLS handshake, in milliseconds. */
const HANDSHAKE = 10_000;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * The HTTP proxy of the original df-daemon: a runtime that has this daemon as its `HTTP_PROXY` and `HTTPS_PROXY` gets the blobs that a rule
 * names through the swarm, whatever registry they are of. Everything else goes on as it is; TLS is ended here for the hosts only that the
 * configuration names, and for all others it is a tunnel.
 */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #inner: Server;
  /** Where the connections whose TLS is ended here are meant for. */
  readonly #meantFor = new WeakMap<object, URL>();
  /** For pulls. */
  readonly #relay: Relay;
  /** For everything else. */
  readonly #connections: Connections;
  readonly #tunnels = new Set<Tunnel>();
  readonly #hijacked = new Set<Duplex>();
  readonly #answering = new Set<Promise<void>>();
  #isOver = false;

  constructor(options: ProxyOptions) {
    this.#options = options;
    const { outward, originRules: rules, connectTimeout, firstByteTimeout, stallTimeout } = options;
    this.#relay = new Relay({ outward, rules, connectTimeout, firstByteTimeout, stallTimeout });
    this.#connections = new Connections({ ...outward, connectTimeout, lookupFor: (url) => this.#lookupFor(url) });
    this.#inner = createServer(options.server, (request, response) => {
      const meant = this.#meantFor.get(request.socket);
      if (meant === undefined) response.destroy();
      else {
        // The server minds a connection between two requests, and does not take back what was set before the first one.
        request.socket.setTimeout(0);
        // Not resolved against it: a path that begins with two slashes would name another host.
        const asked = `${meant.origin}${originForm(request.url ?? '')}`;
        this.#track(this.#answer(request, response, new URL(asked)));
      }
    });
  }

  /** Answers a request whose target is a URL. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#serves(request.socket)) {
      refuse(response, 403, 'this proxy is for the machine that it runs on: it has no rules in its configuration');
      return;
    }
    const asked = absoluteTarget(request.url ?? '');
    if (asked === undefined || asked.protocol !== 'http:') {
      refuse(response, 400, 'a proxy is asked for absolute http URLs, and by CONNECT for everything else');
      return;
    }
    await this.#answer(request, response, asked);
  }

  /** Answers a CONNECT. */
  connect(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    this.#track(
      this.#connect(request, socket, head).catch((error: unknown) => {
        const { status, text } = explain(error);
        this.#options.log.debug({ target: request.url, why: text }, 'not connected');
        // Runtimes show the reason phrase and nothing else.
        socket.end(`HTTP/1.1 ${status} ${phrase(text)}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      }),
    );
  }

  /** Lets what moves end for `grace` milliseconds, and cuts the rest. The server in front takes nothing new any more. */
  async stop(grace: number): Promise<void> {
    this.#inner.closeIdleConnections();
    for (const tunnel of this.#tunnels) tunnel.windDown();
    const timer = setTimeout(() => this.#cut(), grace);
    await Promise.all(this.#answering);
    for (const socket of this.#hijacked) socket.destroy();
    await Promise.all([...this.#tunnels].map(({ ended }) => ended));
    clearTimeout(timer);
    await Promise.all([this.#relay.stop(), this.#connections.stop()]);
  }

  #cut(): void {
    this.#isOver = true;
    for (const tunnel of this.#tunnels) tunnel.cut();
    for (const socket of this.#hijacked) socket.destroy();
    this.#inner.closeAllConnections();
  }

  #track(answering: Promise<void>): void {
    const tracked = answering.finally(() => this.#answering.delete(tracked));
    this.#answering.add(tracked);
  }

  #lookupFor(url: URL): LookupFunction {
    return guardedLookup(url, 'first-hand', this.#options.originRules, systemResolver);
  }

  #serves({ remoteAddress = '' }: Socket): boolean {
    return this.#options.forAll || LOOPBACK.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');
  }

  /** A request as it was meant, `asked` being the URL that the client means. */
  async #answer(request: IncomingMessage, response: ServerResponse, asked: URL): Promise<void> {
    const { rules, patience, originRules, log } = this.#options;
    const path = originForm(request.url ?? '');
    const { url, throughSwarm } = decide(rules, asked);
    try {
      originRules.checkUrl(url, 'first-hand');
      // A proxy is asked for the registry itself: no path names another.
      const asks = route(request.method ?? '', path, () => false);
      const isPull = (asks.kind === 'blob' && throughSwarm) || asks.kind === 'manifest';
      if (isPull && asks.ns === undefined) {
        // A manifest shows who may have the blobs that it names, wherever they come from.
        request.url = path;
        const upstreams = { default: new URL('/', url), byHost: new Map<string, URL>() };
        await handle(request, response, { ...this.#options.pulling, registry: this.#relay, upstreams }, patience);
      } else {
        await passOn(request, response, { connections: this.#connections, to: url, path, idle: patience.source });
        log.debug({ method: request.method, host: url.host, status: response.statusCode }, 'proxied');
      }
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const { status, text } = explain(error);
      log.debug({ method: request.method, host: url.host, why: text }, 'not proxied');
      refuse(response, status, text);
    }
  }

  async #connect(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { originRules, outward, connectTimeout, patience, certificates, hijack, log } = this.#options;
    if (!this.#serves(request.socket)) {
      throw new OriginError('forbidden', 'this proxy is for the machine that it runs on');
    }
    const target = request.url ?? '';
    const to = connectTarget(target);
    if (to === undefined) throw new OriginError('protocol', 'CONNECT needs HOST:PORT');
    originRules.checkUrl(to, 'first-hand');
    if (certificates !== undefined && hijack.some((pattern) => pattern.matches(target))) {
      this.#hijack(socket, head, certificates.get().contextFor(to.hostname.replace(/^\[|\]$/g, '')), to);
      return;
    }
    const limits = { connect: connectTimeout, idle: patience.client };
    const far = await openFarEnd(to, { lookup: this.#lookupFor(to), outward }, limits);
    // The client may have gone meanwhile, and so may all others.
    if (socket.destroyed || this.#isOver) {
      far.destroy();
      socket.destroy();
      return;
    }
    log.debug({ target }, 'tunnel');
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    const tunnel = new Tunnel(socket, far, limits);
    this.#tunnels.add(tunnel);
    void tunnel.ended.then(() => this.#tunnels.delete(tunnel));
  }

  /** Ends the client's TLS here, and takes the requests in it as those of any other connection. */
  #hijack(socket: Duplex, head: Buffer, secureContext: SecureContext, meant: URL): void {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    const secured = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
    const tooLong = setTimeout(() => secured.destroy(), HANDSHAKE);
    this.#hijacked.add(secured);
    secured
      .once('secure', () => {
        clearTimeout(tooLong);
        // Until its first request.
        secured.setTimeout(this.#options.server.keepAliveTimeout ?? HANDSHAKE, () => secured.destroy());
      })
      .once('close', () => {
        clearTimeout(tooLong);
        this.#hijacked.delete(secured);
        socket.destroy();
      })
      .on('error', (error: Error) => {
        this.#options.log.info(
          { host: meant.host, why: error.message },
          'a client broke off; does it trust the certificate?',
        );
        secured.destroy();
      });
    this.#meantFor.set(secured, meant);
    this.#inner.emit('connection', secured);
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`;
  response
    .writeHead(status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
    })
    .end(body);
}

/** What a client is told of an error. */
function explain(error: unknown): { readonly status: number; readonly text: string } {
  const text = error instanceof Error ? error.message : String(error);
  if (!(error instanceof OriginError)) return { status: 502, text };
  if (error.kind === 'forbidden') return { status: 403, text };
  return { status: error.kind === 'protocol' ? 400 : 502, text };
}

/** A text as it may stand behind the status (RFC 9112, 4). */
function phrase(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
}
