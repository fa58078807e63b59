import { NATIVE_VERSION, parseRegistryRequest } from '@cdk8s-dragonfly/protocol';

import type { ClassicTasks } from '../classic/classic-tasks';
import type { Registrar } from '../tasks/register';
import type { Routes } from './api-server';

/** `POST /peer/registry`, form or JSON, for our daemons and for original clients. */
export function registryRoute(registrar: Registrar, classic: ClassicTasks): Routes {
  return (server) => {
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    server.post('/peer/registry', async (request) => {
      const parsed = parseRegistryRequest(typeof request.body === 'string' ? request.body : '');
      if (!parsed.ok) return parsed.refusal;
      const { native } = parsed.value;
      if (native?.versions.includes(NATIVE_VERSION) === true)
        return registrar.registerNative(parsed.value, native.blob);
      return classic.register(parsed.value);
    });
  };
}
