import { DAEMON } from './places';

/** Where the files of Secrets and ConfigMaps are. */
export const FILES = '/etc/dragonfly/registries';
/** The files of Secrets and ConfigMaps of a df-daemon's pod, and what it makes of them. */
export const files = (sources: readonly object[], part: object): object => ({
  pods: {
    [DAEMON.object]: {
      volumes: [{ name: 'config' }, { name: 'data' }, { name: 'registries', projected: { sources } }],
      by: { [DAEMON.container]: { values: part } },
    },
  },
});
/** A bundle of certificates in a ConfigMap. */
export const authority = (name: string, path: string): object => ({
  configMap: { name, items: [{ key: 'ca.crt', path }] },
});
