import { formatAddress, formatBytes } from '@cdk8s-dragonfly/command';
import { PORTS, type FlagSpec } from '@cdk8s-dragonfly/contract';
import { LOOPBACK } from './environment';
import { isListenAddress } from './flag-settings';
import { localPort, type Pod } from './pod';
import type { MapRow } from './process-plan';
import type { ServiceNames } from './service-names';

/** A flag that has another value here. */
export interface MovedFlag {
  /** The contract's name of the flag. */
  readonly name: string;
  /** The values it gets here, as texts. */
  readonly here: readonly string[];
  readonly row: MapRow;
}

/**
 * The flags of a pod's command that must say something else on this machine, whoever set them in the manifest: all listen on
 * loopback, on free ports; paths lie in the run's folder; names of Services are resolved.
 *
 * @param patience how many times longer than in a cluster the others may take, which share this machine's cores
 */
export function moveFlags(pod: Pod, names: ServiceNames, patience: number): readonly MovedFlag[] {
  return pod.settings.flags().flatMap(({ name, flag }) => {
    const values = valuesIn(pod, name, flag);
    const here = valuesHere({ pod, name, flag, names, patience });
    if (here.length === 0 || here.join() === values.join()) return [];
    return [{ name, here, row: { what: `--${flag.flag}`, manifest: values.join(), here: here.join() } }];
  });
}

function valuesIn({ settings }: Pod, name: string, flag: FlagSpec): readonly string[] {
  if (flag.type === 'port') return settings.listeners().flatMap((item) => (item.name === name ? [`${item.port}`] : []));
  if (flag.type === 'address') {
    return settings.addresses(name).map(({ host, port }) => (port === undefined ? host : formatAddress(host, port)));
  }
  const wait = settings.milliseconds(name);
  if (wait !== undefined) return [`${wait}ms`];
  const bytes = settings.bytes(name);
  if (bytes !== undefined) return [formatBytes(bytes)];
  const text = settings.text(name);
  return text === undefined ? [] : [text];
}

interface Move {
  readonly pod: Pod;
  readonly name: string;
  readonly flag: FlagSpec;
  readonly names: ServiceNames;
  readonly patience: number;
}

function valuesHere({ pod, name, flag, names, patience }: Move): readonly string[] {
  const { settings, files, workload } = pod;
  switch (flag.type) {
    case 'ip':
      return [LOOPBACK];
    case 'port':
      return settings.listeners().flatMap((item) => (item.name === name ? [`${localPort(pod, item.port)}`] : []));
    case 'path': {
      const path = settings.text(name);
      return path === undefined ? [] : [files.locate(path)];
    }
    case 'address': {
      if (isListenAddress(flag)) {
        return settings
          .listeners()
          .flatMap((item) => (item.name === name ? [formatAddress(LOOPBACK, localPort(pod, item.port))] : []));
      }
      // Which origins are allowed stays as it is: the registry is on this machine already.
      if (name !== 'node') return [];
      const lookup = {
        namespace: workload.namespace,
        defaultPort: PORTS.supernodeApi,
        source: `--node of ${workload.kind} ${workload.name}`,
      };
      return settings.addresses(name).map((address) => names.resolve(address, lookup));
    }
    case 'duration': {
      const wait = settings.milliseconds(name);
      return wait === undefined ? [] : [`${Math.min(wait * patience, flag.max ?? Infinity)}ms`];
    }
    case 'size':
      // Whether there is room was looked at for the whole run, and a developer's disk may be fuller than a node's.
      return name === 'minFree' ? ['0'] : [];
    case 'boolean':
    case 'choice':
    case 'integer':
    case 'mebibytes':
    case 'minutes':
    case 'rate':
    case 'seconds':
    case 'string':
    case 'url':
      return [];
  }
}
