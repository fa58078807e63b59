import { isIP } from 'node:net';
import { CommandError, formatAddress, readAddress, type Address } from '@cdk8s-dragonfly/command';
import type { Service } from '../manifest/service';
import { LOOPBACK } from './environment';
import { localPort, type Pod } from './pod';

/** Who asks for a name, and what is meant by one without a port. */
export interface NameLookup {
  /** The namespace of the pod that asks. */
  readonly namespace: string;
  /** The port of an address that names none. */
  readonly defaultPort: number;
  /** Who names it, for the message. */
  readonly source: string;
}

/** The cluster's DNS: names of Services become the local addresses of the pods behind them. */
export class ServiceNames {
  constructor(
    private readonly services: readonly Service[],
    private readonly pods: readonly Pod[],
  ) {}

  /**
   * The local `HOST:PORT` of an address in the manifests. An IP address stays as it is.
   *
   * @throws CommandError for a name that no Service of the manifests has
   */
  resolve(address: Address, lookup: NameLookup): string {
    const port = address.port ?? lookup.defaultPort;
    if (isIP(address.host) !== 0) return formatAddress(address.host, port);
    const service = this.services.find((candidate) => isNameOf(candidate, address.host, lookup.namespace));
    if (!service) {
      throw new CommandError(`${lookup.source} names ${address.host}, which is no Service of the manifests`);
    }
    const servicePort = service.ports.find((candidate) => candidate.port === port);
    if (!servicePort)
      throw new CommandError(`${lookup.source} names the port ${port}, which Service ${service.name} lacks`);
    const [pod, ...more] = this.pods.filter((candidate) => isBehind(service, candidate));
    if (!pod || more.length > 0) {
      throw new CommandError(
        `Service ${service.name} has ${more.length + (pod ? 1 : 0)} pods behind it; the demo needs one`,
      );
    }
    return formatAddress(LOOPBACK, localPort(pod, servicePort.target));
  }

  /** The text of an INI node file with its supernodes' names resolved; all other lines stay. */
  resolveNodeFile(text: string, lookup: NameLookup): string {
    return text.replace(/^(\s*address\s*=)(.*)$/gm, (_line, key: string, list: string) => {
      const addresses = list.split(',').map((part) => {
        const address = readAddress(part.trim());
        if (address) return this.resolve(address, lookup);
        throw new CommandError(`${lookup.source} names ${JSON.stringify(part.trim())}, which is not HOST or HOST:PORT`);
      });
      return `${key}${addresses.join(',')}`;
    });
  }
}

function isNameOf(service: Service, host: string, namespace: string): boolean {
  const full = `${service.name}.${service.namespace}`;
  const names = [full, `${full}.svc`, `${full}.svc.cluster.local`, `${full}.svc.cluster.local.`];
  return names.includes(host) || (host === service.name && namespace === service.namespace);
}

function isBehind(service: Service, { workload }: Pod): boolean {
  const wanted = Object.entries(service.selector);
  return (
    workload.namespace === service.namespace &&
    wanted.length > 0 &&
    wanted.every(([label, value]) => workload.labels[label] === value)
  );
}
