/** Variables that name proxies, as Go programs and ours read them. */
const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];

/**
 * The ports at which registries are reached: their own, those of their token servers, that of the public hosts that they redirect to, those of
 * proxies.
 *
 * @param origins as `HOST:PORT`
 * @param tokenServers as `REGISTRY=HOST[:PORT]`; without a port it is that of the public hosts
 * @param env of the daemon
 */
export function egressPorts(
  origins: string[],
  tokenServers: string[],
  env: Readonly<Record<string, string>>,
): number[] {
  const proxies = PROXIES.flatMap((name) => {
    const text = env[name] ?? '';
    const url = /^[a-z0-9]+:\/\//i.test(text) ? text : `http://${text}`;
    if (text === '' || !URL.canParse(url)) {
      return [];
    }
    const { port, protocol } = new URL(url);
    return [port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)];
  });
  const ports = [...origins, ...tokenServers].flatMap((host) => {
    const [, port] = /:([0-9]+)$/.exec(host) ?? [];
    return port === undefined ? [] : [Number(port)];
  });
  return [...new Set([443, ...ports, ...proxies])].sort((a, b) => a - b);
}
