import type { RegistrySpec } from './registry';

const LOOPBACK = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/;

/**
 * Refuses a mirror that would have to be there before it is: the daemon's own image from the mirror, or the mirror as its own registry.
 *
 * @throws Error naming the prop and the fix.
 */
export function checkNoLoop(image: string, registries: RegistrySpec[], mirrorPort: number): void {
  checkImageIsNotMirrored('image', image, mirrorPort);
  registries.forEach(({ url }, i) => {
    const { hostname, port: urlPort } = new URL(url);
    if (LOOPBACK.test(hostname) && Number(urlPort) === mirrorPort) {
      throw new Error(`registries[${i}].url "${url}" is the mirror itself: name the registry behind it.`);
    }
  });
}

/**
 * Refuses an image of ours that a node would pull from the mirror, which is not there before our images are.
 *
 * @throws Error naming the prop and the fix.
 */
export function checkImageIsNotMirrored(prop: string, image: string | undefined, mirrorPort: number): void {
  const [, host = '', port] = /^(\[[^\]]*\]|[^/:]*):([0-9]+)\//.exec(image ?? '') ?? [];
  if (LOOPBACK.test(host) && Number(port) === mirrorPort) {
    throw new Error(
      `${prop} "${image ?? ''}" would come from the mirror that it is to start: name the registry itself, which the node asks while the mirror is down.`,
    );
  }
}

/** The port of a mirror on the node, by its URL; undefined when it is elsewhere. */
export function loopbackPort(mirror: string): number | undefined {
  const { hostname, port, protocol } = new URL(mirror);
  if (!LOOPBACK.test(hostname)) {
    return undefined;
  }
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}
