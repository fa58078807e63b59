/** Where a server is reached. @param origin such as `http://[fd00::1]:65001`; default port 80. */
export function socketAddress({ hostname, port }: URL): { readonly host: string; readonly port: number } {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? '80' : port) };
}
