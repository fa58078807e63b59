import { parseChallenge } from '@cdk8s-dragonfly/origin';
import type { RelayAnswer } from '@cdk8s-dragonfly/origin';
import { headerValues } from '@cdk8s-dragonfly/protocol';

import { errorBody } from './error-body';
import type { Exchange } from './exchange';
import { OUT_OF_ORDER, ask, badGateway, passOn } from './relay';
import type { RelayTerms } from './relay';
import type { PlainRoute } from './route';

/**
 * Answers `/v2/`, with which podman, CRI-O, skopeo and dockerd begin. The registry does, as long as it can be asked. In its outage the answer is the
 * mirror's own: a client that is told of a failure here goes away and never asks for the image that the swarm has.
 */
export class Pings {
  /** The challenges of registries that want a password with each request: their clients send it only when they are asked for it. */
  private readonly challenges = new Map<string, string>();

  /** @param inOutage whether there are answers in an outage. */
  constructor(private readonly inOutage: boolean) {}

  /**
   * @returns who answered.
   * @throws what kept it from an answer; the client was given a 502 that says so.
   */
  async answer(exchange: Exchange, route: PlainRoute, terms: RelayTerms): Promise<'registry' | 'mirror'> {
    let answer: RelayAnswer;
    try {
      answer = await ask(exchange, route, terms);
    } catch (error) {
      if (exchange.signal.aborted) throw error;
      if (this.inOutage) return this.give(exchange, terms);
      badGateway(exchange, error);
      throw error;
    }
    if (this.inOutage && OUT_OF_ORDER.has(answer.status)) {
      answer.discard();
      return this.give(exchange, terms);
    }
    this.learn(terms.upstream, answer);
    await passOn(exchange, route, terms, answer);
    return 'registry';
  }

  private learn({ href }: URL, { status, headers }: RelayAnswer): void {
    const challenge = headerValues(headers, 'www-authenticate').join(', ');
    // A token would have to be fetched anew, perhaps from the same host, and opens nothing here: what is kept for all needs none.
    if (status === 401 && parseChallenge(challenge)?.scheme === 'basic') this.challenges.set(href, challenge);
    else this.challenges.delete(href);
  }

  private give(exchange: Exchange, { upstream }: RelayTerms): 'mirror' {
    const challenge = exchange.request.headers.authorization === undefined && this.challenges.get(upstream.href);
    const lines = [
      ['Content-Type', 'application/json'],
      ['Docker-Distribution-Api-Version', 'registry/2.0'],
    ] as const;
    if (typeof challenge !== 'string') exchange.reply(200, lines, '{}');
    else {
      const body = errorBody('UNAUTHORIZED', `the registry ${upstream.host} wants credentials`);
      exchange.reply(401, [...lines, ['WWW-Authenticate', challenge]], body);
    }
    return 'mirror';
  }
}
