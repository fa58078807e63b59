import { isIPv4, isIPv6 } from 'node:net';

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const RFC1035_LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const RFC1123_LABEL = new RegExp(`^${LABEL}$`);
const RFC1123_SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);
const MAX_SUBDOMAIN = 253;

/** Whether `text` is a RFC 1123 subdomain or, when it is all digits and dots, an IPv4 address. */
export function isHostName(text: string): boolean {
  return /^[\d.]+$/.test(text) ? isIPv4(text) : text.length <= MAX_SUBDOMAIN && RFC1123_SUBDOMAIN.test(text);
}

/** Whether `text` is a port: 1 to 65535 in decimal digits. */
export function isPort(text: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65535;
}

/** Whether `text` is a DNS name, an IPv4 address or an IPv6 address in brackets. */
export function isHost(text: string): boolean {
  return isHostName(text) || (text.startsWith('[') && isIPv6(text.slice(1, -1)));
}

/** Whether `text` is an IPv4 or IPv6 network, as `ADDRESS/BITS`. */
export function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  return more.length === 0 && /^(0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= most;
}

/**
 * The name of an object that a Service shares: a RFC 1035 label of at most `max` characters.
 *
 * @throws Error naming the prop, the value and the rule.
 */
export function checkName(prop: string, value: string, max = 63): string {
  if (value.length > max || !RFC1035_LABEL.test(value)) {
    throw new Error(
      `${prop} "${value}" is no name for an object: use 1 to ${max} lower-case letters, digits and dashes, ` +
        `starting with a letter and ending with a letter or digit.`,
    );
  }
  return value;
}

/**
 * The name of an object that is there, such as a Secret: a RFC 1123 subdomain.
 *
 * @throws Error naming the prop, the value and the rule.
 */
export function checkReference(prop: string, value: string): string {
  if (value.length > MAX_SUBDOMAIN || !RFC1123_SUBDOMAIN.test(value)) {
    throw new Error(
      `${prop} "${value}" is no name of an object: use 1 to ${MAX_SUBDOMAIN} lower-case letters, digits, dashes and dots, ` +
        `starting and ending with a letter or digit.`,
    );
  }
  return value;
}

/**
 * The name of a namespace: a RFC 1123 label.
 *
 * @throws Error naming the prop, the value and the rule.
 */
export function checkNamespace(prop: string, value: string): string {
  if (!RFC1123_LABEL.test(value)) {
    throw new Error(
      `${prop} "${value}" is no namespace: use 1 to 63 lower-case letters, digits and dashes, ` +
        `starting and ending with a letter or digit.`,
    );
  }
  return value;
}

/**
 * A TCP port that a daemon without rights may listen on.
 *
 * @throws Error naming the prop, the value and the rule.
 */
export function checkPort(prop: string, value: number): number {
  if (!Number.isInteger(value) || value < 1024 || value > 65535) {
    throw new Error(`${prop} is ${value}: use a port from 1024 to 65535, since the daemon is not allowed those below.`);
  }
  return value;
}

/**
 * How often something may happen: a whole number from 0 to 100.
 *
 * @throws Error naming the prop, the value and the rule.
 */
export function checkCount(prop: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 100) {
    throw new Error(`${prop} is ${value}: use a whole number from 0 to 100.`);
  }
  return value;
}

/**
 * An IPv4 or IPv6 network.
 *
 * @throws Error naming the prop, the value and the rule.
 */
export function checkCidr(prop: string, value: string): string {
  if (!isCidr(value)) {
    throw new Error(`${prop} "${value}" is no network: write ADDRESS/BITS, such as 10.0.0.0/16.`);
  }
  return value;
}

/**
 * A folder or a file on a node.
 *
 * @throws Error naming the prop, the value and the rule.
 */
export function checkHostPath(prop: string, value: string): string {
  const parts = value.split('/').slice(1);
  if (!value.startsWith('/') || parts.every((part) => part === '') || parts.includes('..')) {
    throw new Error(`${prop} "${value}" is no place for data on a node: use an absolute path below / without "..".`);
  }
  return value;
}

/**
 * The names of the nodes to work on: RFC 1123 subdomains, each once, at least one.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function checkNodes(prop: string, values: string[]): string[] {
  if (values.length === 0) {
    throw new Error(`${prop} is empty: name at least one node, as "kubectl get nodes" shows them.`);
  }
  values.forEach((value, i) => {
    if (value.length > MAX_SUBDOMAIN || !RFC1123_SUBDOMAIN.test(value)) {
      throw new Error(`${prop}[${i}] "${value}" is no node name: write it as "kubectl get nodes" shows it.`);
    }
    checkOnce(prop, i, value, values.indexOf(value));
  });
  return [...values];
}

/**
 * Addresses as `HOST[:PORT]`, IPv6 in brackets, each once, at least one.
 *
 * @param what they are of, for messages
 * @throws Error naming the prop, the value and the fix.
 */
export function checkAddresses(prop: string, values: string[], what = 'supernode'): string[] {
  if (values.length === 0) {
    throw new Error(`${prop} is empty: name at least one ${what} as HOST[:PORT].`);
  }
  values.forEach((value, i) => {
    const weight = /=\d+$/.exec(value)?.[0];
    if (weight !== undefined && what === 'supernode') {
      throw new Error(`${prop}[${i}] "${value}" has a weight, "${weight}", which does nothing: leave it out.`);
    }
    const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]+))?$/.exec(value) ?? [];
    if (!isHost(host)) {
      throw new Error(`${prop}[${i}] "${value}" is no HOST[:PORT]: use a DNS name, an IPv4 address or [IPv6].`);
    }
    if (port !== undefined && !isPort(port)) {
      throw new Error(`${prop}[${i}] "${value}" has the port "${port}": use 1 to 65535, or leave it out.`);
    }
    checkOnce(prop, i, value, values.indexOf(value));
  });
  return [...values];
}

function checkOnce(prop: string, index: number, value: string, first: number): void {
  if (first !== index) {
    throw new Error(`${prop} names "${value}" twice, at ${first} and ${index}: name it once.`);
  }
}
