import { NATIVE_VERSION, parseRegistryRequest } from '@cdk8s-dragonfly/protocol';
import type { ClassicAnswer, RegistryRequest } from '@cdk8s-dragonfly/protocol';

import { FORWARD_HEADER } from '../replicas/forward-mark';
import type { Forwarder } from '../replicas/forward';
import type { ReplicaSet } from '../replicas/replica-set';
import type { Registrar } from '../tasks/register';
import type { Routes } from './api-server';
import { refuse } from './refusal';
import { NOT_YOURS, speaksFor } from './session-key';

/** Is told of each registration that could be read, its answer, and the id of the request. */
export type RegistrationListener = (request: RegistryRequest, answer: ClassicAnswer, id: string) => void;

/**
 * `POST /peer/registry`, form or JSON, for our daemons and for original clients. After a start it waits until the other replicas were asked what they
 * have under way, a second at most.
 */
export function registryRoute(
  registrar: Registrar,
  forwarder: Forwarder,
  replicas: Pick<ReplicaSet, 'asked'>,
  listener?: RegistrationListener,
): Routes {
  return (server) => {
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    server.post('/peer/registry', async (request, reply) => {
      const { url: target, headers } = request;
      const body = typeof request.body === 'string' ? request.body : '';
      const parsed = parseRegistryRequest(body);
      if (!parsed.ok) return parsed.refusal;
      const { cid, native } = parsed.value;
      if (!speaksFor(request, cid)) return refuse(request, reply, NOT_YOURS);
      const queued = reply.elapsedTime;
      await replicas.asked;
      const answer =
        native?.versions.includes(NATIVE_VERSION) === true
          ? registrar.registerNative(parsed.value, native.blob, {
              remote: request.socket.remoteAddress,
              queued,
            })
          : await forwarder.register(parsed.value, { target, body, mark: headers[FORWARD_HEADER] });
      listener?.(parsed.value, answer, request.id);
      return answer;
    });
  };
}
