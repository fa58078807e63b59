import { isIP } from 'node:net';
import { UsageError } from '@cdk8s-dragonfly/command';

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9]\d{0,4})?$/i;

function isRange(given: string): boolean {
  const [address = '', bits = '', ...more] = given.split('/');
  const version = isIP(address);
  return version !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

/**
 * Checks what dockerd is to have in `insecure-registries`: registries, or ranges of addresses.
 *
 * @throws UsageError for what it does not start with, or could not match
 */
export function insecureRegistries(given: readonly string[]): readonly string[] {
  const wrong = given.find((one) => !(HOST.test(one) || isRange(one)));
  if (wrong !== undefined) {
    throw new UsageError(
      `--docker-insecure-registry '${wrong}' is neither a registry, such as registry.example.com:5000, nor a range of addresses, such as 10.0.0.0/8: give it without scheme and path`,
    );
  }
  return [...new Set(given.map((one) => one.toLowerCase()))];
}

/** Checks the proxy that dockerd is to have. Returned without trailing slash. @throws UsageError */
export function proxyUrl(given: string): string {
  const url = new URL(given);
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.pathname !== '/' || /[?#]/.test(given)) {
    throw new UsageError(
      `--docker-proxy '${url.protocol}//${url.host}…' is no http or https URL of scheme, host and port alone, such as http://127.0.0.1:65001`,
    );
  }
  return given.replace(/\/+$/, '');
}
