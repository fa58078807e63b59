import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';
import type { ClassicAnswer, RegistryRequest } from '@cdk8s-dragonfly/protocol';

/** Where registrations are written. */
export interface RegistrationLog {
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

/** One line for a registration. Of its URL only the host: the rest may hold a signature, and the headers credentials. */
export function logRegistration(
  log: RegistrationLog,
  request: RegistryRequest,
  answer: ClassicAnswer,
  id: string,
): void {
  const { cid, ip, rawUrl, native, version } = request;
  const { code, msg } = answer;
  if (code === RESULT_CODE.waitAuth) {
    log.debug({ request: id, cid, why: msg }, 'registration put off');
    return;
  }
  log.info(
    {
      request: id,
      cid,
      ip,
      origin: new URL(rawUrl).host,
      ...(native === undefined ? { version } : { blob: native.blob }),
      code,
      ...(code === RESULT_CODE.success ? {} : { why: msg }),
    },
    code === RESULT_CODE.success ? 'registered' : 'registration refused',
  );
}
