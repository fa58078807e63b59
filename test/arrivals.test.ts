import { DFDAEMON, DFGET_PREHEAT, NODE_MIRROR, SUPERNODE } from '@cdk8s-dragonfly/contract';
import type { CommandSpec } from '@cdk8s-dragonfly/contract';
import { Cron } from 'cdk8s';
import type { Construct } from 'constructs';
import {
  DfDaemonConstruct,
  Dragonfly,
  DragonflyMonitoring,
  NodeMirrorJob,
  PreheatJob,
  Storage,
  SupernodeConstruct,
} from '../src';
import type { DragonflyMonitoringProps } from '../src';
import type { Case } from './arrivals/case';
import * as daemon from './arrivals/df-daemon-cases';
import { DRAGONFLY_PROPS } from './arrivals/dragonfly-cases';
import { MONITORING_OPTIONS, MONITORING_PROPS } from './arrivals/monitoring-cases';
import * as mirror from './arrivals/node-mirror-cases';
import { CRON_PREHEAT, DAEMON, MIRROR_JOB, PREHEAT, SEED } from './arrivals/places';
import { PREHEAT_PROPS } from './arrivals/preheat-cases';
import * as proxy from './arrivals/proxy-cases';
import { REGISTRY } from './arrivals/registry-cases';
import { CLAIM, EMPTY_DIR } from './arrivals/storage-cases';
import * as seed from './arrivals/supernode-cases';
import { UNREACHABLE } from './arrivals/unreachable-flags';
import { View } from './arrivals/view';
import { workloadCases } from './arrivals/workload-cases';
import { publicProps } from './support/public-props';
import { chart } from './support/synth';

type Props = Readonly<Record<string, unknown>>;

/** The cases of an interface of the API, and what is made of its props. */
interface Subject {
  readonly interface: string;
  readonly of: string;
  readonly cases: Readonly<Record<string, readonly Case<unknown>[]>>;
  readonly make: (scope: Construct, props: Props) => unknown;
}

const image = 'example/image:1';
const url = 'https://registry.example.com:5000';
const dragonfly: Subject['make'] = (scope, props) =>
  new Dragonfly(scope, 'it', { supernodeImage: image, daemonImage: image, ...props });
const supernode: Subject['make'] = (scope, props) => new SupernodeConstruct(scope, 'it', { image, ...props });
const dfDaemon: Subject['make'] = (scope, props) =>
  new DfDaemonConstruct(scope, 'it', { image, supernodes: ['s'], ...props });
const nodeMirror: Subject['make'] = (scope, props) =>
  new NodeMirrorJob(scope, 'it', { image, nodes: ['w1'], ...props });
const preheat: Subject['make'] = (scope, props) =>
  new PreheatJob(scope, 'it', { image, images: ['nginx:1'], supernodes: ['s'], ...props });
const nightly: Subject['make'] = (scope, props) => preheat(scope, { schedule: Cron.daily(), ...props });
const proxied: Subject['make'] = (scope, props) => dfDaemon(scope, { proxy: props });
const configured: Subject['make'] = (scope, props) => dfDaemon(scope, { configureRuntime: { image, ...props } });

const CONTROL_PLANE = ['control-plane', 'master'].map((role) => ({ key: `node-role.kubernetes.io/${role}` }));

const SUBJECTS: readonly Subject[] = [
  { interface: 'DragonflyProps', of: 'an installation', cases: DRAGONFLY_PROPS, make: dragonfly },
  { interface: 'SupernodeOptions', of: 'a supernode', cases: seed.SUPERNODE_OPTIONS, make: supernode },
  { interface: 'SupernodeProps', of: 'a supernode', cases: seed.SUPERNODE_PROPS, make: supernode },
  {
    interface: 'OriginTimeouts',
    of: 'a supernode',
    cases: seed.ORIGIN_TIMEOUTS(),
    make: (scope, props) => supernode(scope, { timeouts: props }),
  },
  {
    interface: 'OriginTimeouts',
    of: 'a df-daemon',
    cases: seed.ORIGIN_TIMEOUTS(DAEMON),
    make: (scope, props) => dfDaemon(scope, { timeouts: props }),
  },
  {
    interface: 'Registry',
    of: 'a supernode',
    cases: seed.REGISTRY_AT_SUPERNODE,
    make: (scope, props) => supernode(scope, { registries: [{ url, ...props }] }),
  },
  { interface: 'DfDaemonOptions', of: 'a df-daemon', cases: daemon.DF_DAEMON_OPTIONS, make: dfDaemon },
  { interface: 'DfDaemonProps', of: 'a df-daemon', cases: daemon.DF_DAEMON_PROPS, make: dfDaemon },
  {
    interface: 'DfDaemonTimeouts',
    of: 'a df-daemon',
    cases: daemon.DF_DAEMON_TIMEOUTS,
    make: (scope, props) => dfDaemon(scope, { timeouts: props }),
  },
  {
    interface: 'Registry',
    of: 'a df-daemon',
    cases: REGISTRY,
    make: (scope, props) => dfDaemon(scope, { registries: [{ url, ...props }] }),
  },
  { interface: 'ProxyConfiguration', of: 'a df-daemon', cases: proxy.PROXY, make: proxied },
  {
    interface: 'ProxyRule',
    of: 'a df-daemon',
    cases: proxy.PROXY_RULE,
    make: (scope, props) => proxied(scope, { rules: [{ match: 'a', ...props }] }),
  },
  {
    interface: 'ProxyTlsHost',
    of: 'a df-daemon',
    cases: proxy.PROXY_TLS_HOST,
    make: (scope, props) => proxied(scope, { certificateSecret: 's', tlsHosts: [{ match: 'a', ...props }] }),
  },
  { interface: 'RuntimeConfiguration', of: 'a df-daemon', cases: daemon.RUNTIME_CONFIGURATION, make: configured },
  {
    interface: 'DockerConfiguration',
    of: 'a df-daemon',
    cases: daemon.RUNTIME_CONFIGURATION_DOCKER,
    make: (scope, props) => configured(scope, { restart: true, docker: props }),
  },
  {
    interface: 'DockerConfiguration',
    of: 'a node-mirror',
    cases: mirror.dockerCases(MIRROR_JOB),
    make: (scope, props) => nodeMirror(scope, { restart: true, docker: props }),
  },
  {
    interface: 'RuntimePaths',
    of: 'a df-daemon',
    cases: daemon.RUNTIME_CONFIGURATION_PATHS,
    make: (scope, props) => configured(scope, { paths: props }),
  },
  {
    interface: 'RuntimePaths',
    of: 'a node-mirror',
    cases: mirror.runtimePathsCases(MIRROR_JOB),
    make: (scope, props) => nodeMirror(scope, { paths: props }),
  },
  { interface: 'NodeMirrorJobOptions', of: 'a node-mirror', cases: mirror.NODE_MIRROR_OPTIONS, make: nodeMirror },
  { interface: 'NodeMirrorJobProps', of: 'a node-mirror', cases: mirror.NODE_MIRROR_PROPS, make: nodeMirror },
  {
    interface: 'MonitoringOptions',
    of: 'an installation',
    cases: MONITORING_OPTIONS,
    make: (scope, props) => dragonfly(scope, { supernode: { nodeCidrs: ['10.0.0.0/16'] }, monitoring: props }),
  },
  {
    interface: 'DragonflyMonitoringProps',
    of: 'its parts',
    cases: MONITORING_PROPS,
    make: (scope, props) => new DragonflyMonitoring(scope, 'it', props as unknown as DragonflyMonitoringProps),
  },
  { interface: 'PreheatJobProps', of: 'a preheat', cases: PREHEAT_PROPS, make: preheat },
  {
    interface: 'EmptyDirStorageOptions',
    of: 'a supernode',
    cases: EMPTY_DIR,
    make: (scope, props) => supernode(scope, { storage: Storage.emptyDir(props) }),
  },
  {
    interface: 'PersistentVolumeClaimStorageOptions',
    of: 'a supernode',
    cases: CLAIM,
    make: (scope, props) => supernode(scope, { storage: Storage.persistentVolumeClaim(props) }),
  },
  { interface: 'WorkloadProps', of: 'a supernode', cases: workloadCases(SEED, CONTROL_PLANE), make: supernode },
  { interface: 'WorkloadProps', of: 'a df-daemon', cases: workloadCases(DAEMON, CONTROL_PLANE), make: dfDaemon },
  { interface: 'WorkloadProps', of: 'a node-mirror', cases: workloadCases(MIRROR_JOB, [{}]), make: nodeMirror },
  { interface: 'WorkloadProps', of: 'a preheat', cases: workloadCases(PREHEAT), make: preheat },
  { interface: 'WorkloadProps', of: 'a nightly preheat', cases: workloadCases(CRON_PREHEAT), make: nightly },
];

/** By command and flag: the values that it was ever set to; that it was left out is one of them. */
const seen = new Map<string, Set<string>>();
const COMMANDS: readonly CommandSpec[] = [SUPERNODE, DFDAEMON, NODE_MIRROR, DFGET_PREHEAT];
const flagsOf = ({ flags, lists = {} }: CommandSpec): string[] => [...Object.keys(flags), ...Object.keys(lists)];

function viewOf(make: Subject['make'], props: Props): View {
  const scope = chart();
  make(scope, props);
  const view = new View(scope);
  for (const command of COMMANDS) {
    const settings = view.settings.get(command.name);
    for (const flag of settings === undefined ? [] : flagsOf(command)) {
      const key = `${command.name} ${flag}`;
      seen.set(key, (seen.get(key) ?? new Set()).add(JSON.stringify(settings?.get(flag) ?? 'left out')));
    }
  }
  return view;
}

describe.each(SUBJECTS)('$interface of $of', ({ cases, make }) => {
  it.each(Object.entries(cases))('%s arrives as it was given', (prop, given) => {
    const views = given.map((one) => viewOf(make, { ...one.beside, [prop]: one.given }));
    expect(views.length).toBeGreaterThan(1);
    for (const [i, view] of views.entries()) {
      expect(view).toMatchObject(given[i]!.arrives);
      // What is seen of a value must not be there with another, or it would say nothing.
      for (const { arrives } of given.filter((_, j) => j !== i)) expect(view).not.toMatchObject(arrives);
    }
  });
});

it('every public prop arrives at two values or more', () => {
  const props = publicProps();
  expect(props.size).toBeGreaterThan(12);
  const without = [...props].flatMap(([name, all]) =>
    all
      .filter((prop) => !SUBJECTS.some((one) => one.interface === name && prop in one.cases))
      .map((prop) => `${name}.${prop}`),
  );
  expect(without).toEqual([]);
});

it.each(COMMANDS)('every flag of $name is reached by a prop, or it is told why not', (command) => {
  const idle = Object.entries(command.flags).flatMap(([flag, { noEffect }]) => (noEffect === undefined ? [] : [flag]));
  const unreached = flagsOf(command).filter(
    (flag) => (seen.get(`${command.name} ${flag}`)?.size ?? 0) < 2 && !idle.includes(flag),
  );
  expect(unreached.sort()).toEqual(Object.keys(UNREACHABLE[command.name] ?? {}).sort());
});
