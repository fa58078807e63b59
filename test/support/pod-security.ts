/**
 * The Pod Security Standards of Kubernetes (https://kubernetes.io/docs/concepts/security/pod-security-standards/), by the names of their
 * controls there, for pods of Linux.
 */
export type Level = 'baseline' | 'restricted';

/** A control that a pod does not keep, and which of its containers; `pod` is the pod itself. */
export interface Violation {
  readonly level: Level;
  readonly control: string;
  readonly of: string;
}

interface SecurityContext {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly procMount?: string;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
  readonly seLinuxOptions?: { readonly type?: string; readonly user?: string; readonly role?: string };
  readonly sysctls?: readonly { readonly name: string }[];
  readonly windowsOptions?: { readonly hostProcess?: boolean };
}

interface Container {
  readonly name: string;
  readonly securityContext?: SecurityContext;
  readonly ports?: readonly { readonly hostPort?: number }[];
}

/** A pod's own specification, as far as the standards read it. */
export interface PodSpec {
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly securityContext?: SecurityContext;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly ephemeralContainers?: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

const BASELINE_CAPABILITIES =
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  );
const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  ...[
    'ip_local_port_range',
    'ip_unprivileged_port_start',
    'tcp_syncookies',
    'ping_group_range',
    'ip_local_reserved_ports',
  ].map((name) => `net.ipv4.${name}`),
  ...['keepalive_time', 'fin_timeout', 'keepalive_intvl', 'keepalive_probes'].map((name) => `net.ipv4.tcp_${name}`),
];
const RESTRICTED_VOLUMES = 'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret'.split(
  ' ',
);

/** Every control of both levels that a pod does not keep. */
export function violations(pod: PodSpec): Violation[] {
  const containers = [...pod.containers, ...(pod.initContainers ?? []), ...(pod.ephemeralContainers ?? [])];
  const context = pod.securityContext ?? {};
  const ofPod = (level: Level, control: string, broken: boolean): Violation[] =>
    broken ? [{ level, control, of: 'pod' }] : [];
  const ofEach = (
    level: Level,
    control: string,
    broken: (own: SecurityContext, one: Container) => boolean,
  ): Violation[] =>
    containers.filter((one) => broken(one.securityContext ?? {}, one)).map(({ name: of }) => ({ level, control, of }));
  const volumes = pod.volumes ?? [];
  const linux = [context, ...containers.map(({ securityContext = {} }) => securityContext)];
  const added = ({ capabilities }: SecurityContext): readonly string[] => capabilities?.add ?? [];
  return [
    ...ofPod(
      'baseline',
      'HostProcess',
      linux.some(({ windowsOptions }) => windowsOptions?.hostProcess === true),
    ),
    ...ofPod('baseline', 'Host Namespaces', [pod.hostNetwork, pod.hostPID, pod.hostIPC].includes(true)),
    ...ofEach('baseline', 'Privileged Containers', ({ privileged }) => privileged === true),
    ...ofEach('baseline', 'Capabilities', (own) => added(own).some((one) => !BASELINE_CAPABILITIES.includes(one))),
    ...ofPod(
      'baseline',
      'HostPath Volumes',
      volumes.some((volume) => 'hostPath' in volume),
    ),
    ...ofEach('baseline', 'Host Ports', (_own, { ports = [] }) => ports.some(({ hostPort = 0 }) => hostPort !== 0)),
    ...ofPod(
      'baseline',
      'SELinux',
      linux.some(
        ({ seLinuxOptions: { type = '', user = '', role = '' } = {} }) =>
          !SELINUX_TYPES.includes(type) || user !== '' || role !== '',
      ),
    ),
    ...ofEach('baseline', '/proc Mount Type', ({ procMount = 'Default' }) => procMount !== 'Default'),
    ...ofPod(
      'baseline',
      'Seccomp',
      linux.some(({ seccompProfile }) => seccompProfile?.type === 'Unconfined'),
    ),
    ...ofPod(
      'baseline',
      'Sysctls',
      (context.sysctls ?? []).some(({ name }) => !SYSCTLS.includes(name)),
    ),
    ...ofPod(
      'restricted',
      'Volume Types',
      volumes.some((volume) => !Object.keys(volume).some((key) => RESTRICTED_VOLUMES.includes(key))),
    ),
    ...ofEach('restricted', 'Privilege Escalation', (own) => own.allowPrivilegeEscalation !== false),
    ...ofEach('restricted', 'Running as Non-root', (own) => (own.runAsNonRoot ?? context.runAsNonRoot) !== true),
    ...ofEach('restricted', 'Running as Non-root user', (own) => (own.runAsUser ?? context.runAsUser) === 0),
    ...ofEach(
      'restricted',
      'Seccomp',
      (own) => !['RuntimeDefault', 'Localhost'].includes((own.seccompProfile ?? context.seccompProfile)?.type ?? ''),
    ),
    ...ofEach(
      'restricted',
      'Capabilities',
      (own) => own.capabilities?.drop?.includes('ALL') !== true || added(own).some((one) => one !== 'NET_BIND_SERVICE'),
    ),
  ];
}
