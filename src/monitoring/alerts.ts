import type { AlertNamespaces } from './first-step';

/** What alerts are about. */
export interface AlertScope {
  /** The label matchers of the supernodes' series. */
  readonly supernode: string;
  /** The label matchers of the df-daemons' series. */
  readonly daemon: string;
  readonly replicas: number;
  /** What the supernode leaves free on its disk, in bytes. */
  readonly minFreeBytes: number;
}

/** An alert for who is on call. */
export interface Alert {
  readonly name: string;
  readonly severity: 'critical' | 'warning';
  /** How long it has to be so, as Prometheus writes it. */
  readonly lasting: string;
  /** One sentence, which may hold the templates of Prometheus. */
  readonly summary: string;
  /** What pulls suffer meanwhile. */
  readonly impact: string;
  /** Whose namespace NAMESPACE is in the first step, where it has one. */
  readonly namespaceOf?: keyof AlertNamespaces;
  /** What to do, in order. */
  readonly runbook: readonly string[];
  /** Undefined: it says nothing in this installation. */
  readonly expression: (scope: AlertScope) => string | undefined;
}

/** The limits of the supernode's ports (docs/operating.md), of which an alert leaves a fifth. */
const CONNECTIONS = { api: 20_000, pieces: 10_000 };
const NEAR = 0.8;

/** All alerts, the most urgent first. docs/alerts.md is made of them. */
export const ALERTS: readonly Alert[] = [
  {
    name: 'DragonflyWrongBytes',
    severity: 'critical',
    lasting: '0m',
    summary: 'The df-daemon {{ $labels.pod }} was given a blob with another digest than its own.',
    impact:
      'None has reached a runtime: the end of such a blob is never given, and the pull was told to start anew. Someone gives wrong bytes.',
    runbook: [
      'Look for `digest-mismatch` in the log of the pod: it names the blob and where its bytes came from.',
      'From the registry: pull the blob straight from it and compare its SHA-256. A registry or its cache in front is broken.',
      'From one node each time: take it out of service and test its disk and memory.',
    ],
    expression: ({ daemon }) => `sum by (pod) (increase(dragonfly_dfdaemon_verify_failures_total{${daemon}}[30m])) > 0`,
  },
  {
    name: 'DragonflySupernodeDown',
    severity: 'critical',
    lasting: '5m',
    summary: 'No supernode answers.',
    impact:
      'Pulls go on: the nodes share what they fetch from the registry themselves, with more load on its uplink. New nodes and preheats are not helped.',
    namespaceOf: 'supernode',
    runbook: [
      '`kubectl -n NAMESPACE get pods -l app.kubernetes.io/name=supernode -o wide`, then `describe` and `logs --previous` of what is not ready.',
      'Pending: its node is gone, or the volume cannot be attached. Give it another place (`placement`, `storage`).',
      'Not ready: `GET /readyz` on port 8002 says which part is missing.',
      'Ready, and only Prometheus does not reach it: is `prometheusNamespace` the namespace of Prometheus?',
    ],
    expression: ({ supernode }) => `absent(up{${supernode}} == 1)`,
  },
  {
    name: 'DragonflyDaemonsGone',
    severity: 'critical',
    lasting: '15m',
    summary: 'No df-daemon answers.',
    impact: 'Runtimes go straight to the registry, each node for itself.',
    namespaceOf: 'daemon',
    runbook: [
      '`kubectl -n NAMESPACE get daemonset -l app.kubernetes.io/name=df-daemon`: are there pods, and do they have their image?',
      'Pods are ready, and Prometheus does not reach port 65003 of the nodes: a firewall, or a policy of its namespace.',
    ],
    expression: ({ daemon }) => `absent(up{${daemon}} == 1)`,
  },
  {
    name: 'DragonflyPullsFail',
    severity: 'critical',
    lasting: '10m',
    summary: '{{ $value | humanizePercentage }} of the answers of the mirrors are errors of 500 and above.',
    impact:
      'Runtimes ask the registry themselves after such an answer: pulls are slower, and fail where the registry fails too.',
    runbook: [
      'Which registry: the lines `"level":"warn"` and above of a df-daemon tell it, and why.',
      'Ask it from a node: `curl -sI https://REGISTRY/v2/`. Is it down, or does it limit (429)? Then this alert is about the registry.',
      'Else look at the df-daemon: `GET /readyz` on port 65003, its disk, its memory.',
    ],
    expression: ({ daemon }) =>
      `sum(rate(dragonfly_dfdaemon_responses_total{${daemon},code=~"5.."}[5m])) / sum(rate(dragonfly_dfdaemon_responses_total{${daemon}}[5m])) > 0.05`,
  },
  {
    name: 'DragonflyDaemonsDown',
    severity: 'warning',
    lasting: '15m',
    summary: '{{ $value | humanizePercentage }} of the df-daemons do not answer.',
    impact: 'Their nodes pull straight from the registry.',
    namespaceOf: 'daemon',
    runbook: [
      '`kubectl -n NAMESPACE get pods -l app.kubernetes.io/name=df-daemon -o wide | grep -v Running`: do they have a node, a runtime, a version in common?',
      'After a rollout of a new version: `kubectl rollout undo daemonset/df-daemon`.',
      'Evicted: the disk of the node is full; `diskQuota` and `minFree` have to fit to it.',
    ],
    expression: ({ daemon }) => `count(up{${daemon}} == 0) / count(up{${daemon}}) > 0.05`,
  },
  {
    name: 'DragonflySupernodeMissing',
    severity: 'warning',
    lasting: '15m',
    summary: 'Only {{ $value }} supernodes answer.',
    impact: 'None: the others have taken over its blobs. One more that fails makes it worse.',
    runbook: ['As DragonflySupernodeDown, for the replica that is missing.'],
    expression: ({ supernode, replicas }) =>
      replicas === 1 ? undefined : `count(up{${supernode}} == 1) < ${replicas}`,
  },
  {
    name: 'DragonflySwarmBypassed',
    severity: 'warning',
    lasting: '30m',
    summary: '{{ $value | humanizePercentage }} of the bytes of blobs come to the nodes straight from the registry.',
    impact: 'The uplink of the registry carries what the swarm should.',
    runbook: [
      'Is a supernode up (DragonflySupernodeDown), and do nodes reach its TCP ports 8001 and 8002, and UDP 8003? `dfget doctor` on a node tells.',
      'Does the supernode fetch: `dragonfly_supernode_cdn_download_failed_total`, and its log. It needs the registry among `registries`, and its `ca`.',
      'With `nodeCidrs`: do nodes come from these networks? Not behind a tunnel, and for Cilium nodes are in none (constructs.md, Networks).',
      'Do nodes reach each other at port 15001? A firewall between them leaves the supernode and the registry.',
    ],
    expression: ({ daemon }) => {
      const all = `sum(rate(dragonfly_dfdaemon_bytes_total{${daemon}}[15m]))`;
      return `sum(rate(dragonfly_dfdaemon_bytes_total{${daemon},source="origin"}[15m])) / ${all} > 0.2 and ${all} > 1048576`;
    },
  },
  {
    name: 'DragonflyFallbacks',
    severity: 'warning',
    lasting: '15m',
    summary: '{{ $value | humanizePercentage }} of the blobs came from the registry because of: {{ $labels.reason }}.',
    impact: 'These pulls work, without the swarm.',
    runbook: [
      '`origin-status`, `origin-unreachable`: what the registry answers stands in the log of the df-daemons and of the supernode.',
      '`origin-forbidden`: a registry or storage that is not among `registries` and not a public https host. Add it.',
      '`unstorable`: blobs are larger than what `diskQuota` and `minFree` leave on the nodes.',
      '`digest-mismatch`: see DragonflyWrongBytes.',
    ],
    expression: ({ daemon }) =>
      `sum by (reason) (rate(dragonfly_dfdaemon_fallbacks_total{${daemon},reason!="not-authorized"}[15m])) / on () group_left () sum(rate(dragonfly_dfdaemon_responses_total{${daemon},kind="blob"}[15m])) > 0.05`,
  },
  {
    name: 'DragonflyRegistryUnreachable',
    severity: 'warning',
    lasting: '10m',
    summary: 'A registry does not answer: df-daemons answer tags with what was last seen.',
    impact: 'Pulls of images that the swarm has go on; others fail.',
    runbook: [
      'The log of the df-daemons names the registry (`"manifest":"stale"`).',
      'Is it the registry, its name, or the way to it? `curl -sI https://REGISTRY/v2/` on a node.',
      'Do not delete what the swarm has: restarts of df-daemons keep it, lost folders do not.',
    ],
    expression: ({ daemon }) => `sum(rate(dragonfly_dfdaemon_kept_manifests_total{${daemon},why="stale"}[10m])) > 0`,
  },
  {
    name: 'DragonflySlowFirstByte',
    severity: 'warning',
    lasting: '15m',
    summary: 'One in a hundred blobs has its first byte after {{ $value | humanizeDuration }}.',
    impact: 'Pods start late.',
    runbook: [
      'Blobs that nobody has wait for the registry: is it slow (`curl -w "%{time_starttransfer}"`)?',
      'Else the supernode is slow: see DragonflySupernodeOverloaded.',
    ],
    expression: ({ daemon }) =>
      `histogram_quantile(0.99, sum by (le) (rate(dragonfly_dfdaemon_first_byte_seconds_bucket{${daemon}}[10m]))) > 5`,
  },
  {
    name: 'DragonflySupernodeDownloadsFail',
    severity: 'warning',
    lasting: '15m',
    summary: '{{ $value | humanizePercentage }} of the downloads of the supernodes fail.',
    impact: 'Nodes fetch these blobs from the registry themselves.',
    runbook: [
      'The log of the supernode names registry, status and reason of each.',
      'Certificates (`ca`), names and egress policies (`egressPolicy`) are the supernode’s own: what works on a node may not work in its pod.',
    ],
    expression: ({ supernode }) =>
      `sum(rate(dragonfly_supernode_cdn_download_failed_total{${supernode}}[15m])) / sum(rate(dragonfly_supernode_cdn_trigger_total{${supernode}}[15m])) > 0.2`,
  },
  {
    name: 'DragonflySupernodeDiskFull',
    severity: 'warning',
    lasting: '15m',
    summary: 'The disk of {{ $labels.pod }} has only {{ $value | humanize1024 }}B free, less than its minFree.',
    impact:
      'The supernode writes nothing that would leave less: it hands on blobs without keeping them, and fetches them again.',
    runbook: [
      'Is it the store? `dragonfly_supernode_store_bytes` against `dragonfly_supernode_store_quota_bytes`. Lower `diskQuota`, or give a larger volume.',
      'Else something other than the supernode fills the disk of its node.',
    ],
    expression: ({ supernode, minFreeBytes }) =>
      minFreeBytes === 0 ? undefined : `dragonfly_supernode_store_free_bytes{${supernode}} < ${minFreeBytes}`,
  },
  {
    name: 'DragonflyMoreThanOneCopy',
    severity: 'warning',
    lasting: '1h',
    summary: '{{ $labels.pod }} has fetched {{ $value }} bytes from registries for each byte of a blob.',
    impact: 'The uplink of the registry carries more than one copy.',
    runbook: [
      'Downloads that break off and start anew: look for `DragonflySupernodeDownloadsFail`, and whether the registry answers Range.',
      'A store that is too small fetches again what it had to drop: raise `diskQuota`.',
    ],
    expression: ({ supernode }) => `dragonfly_supernode_origin_copies{${supernode}} > 1.2`,
  },
  {
    name: 'DragonflySupernodeOverloaded',
    severity: 'warning',
    lasting: '10m',
    summary: 'The event loop of {{ $labels.pod }} is late by {{ $value | humanizeDuration }}.',
    impact: 'Nodes wait for the supernode, and turn to each other and the registry.',
    runbook: [
      'CPU: `process_cpu_seconds_total` near 1 a second is all that one can use. Add `replicas`: blobs are shared out among them.',
      'A CPU limit (`resources.cpu.limit`) throttles it: take it off.',
    ],
    expression: ({ supernode }) => `dragonfly_supernode_event_loop_lag_seconds{${supernode},quantile="0.99"} > 0.5`,
  },
  {
    name: 'DragonflySupernodeConnections',
    severity: 'warning',
    lasting: '5m',
    summary: '{{ $labels.pod }} has {{ $value }} connections at its port {{ $labels.port }}, near its limit.',
    impact: 'Beyond the limit connections are refused, and daemons try again.',
    runbook: ['Add `replicas`.', 'Is it one client? `ss -tn` in the network of the pod shows who.'],
    expression: ({ supernode }) =>
      Object.entries(CONNECTIONS)
        .map(
          ([port, most]) => `dragonfly_supernode_connections{${supernode},port="${port}"} > ${Math.floor(most * NEAR)}`,
        )
        .join(' or '),
  },
  {
    name: 'DragonflySupernodeRestarts',
    severity: 'warning',
    lasting: '0m',
    summary: '{{ $labels.pod }} has started {{ $value }} times within an hour.',
    impact: 'What it fetched goes on from where it was; daemons turn to each other meanwhile.',
    namespaceOf: 'supernode',
    runbook: [
      '`kubectl -n NAMESPACE logs --previous POD`, and `describe`: killed for memory (raise `resources.memory.limit`; the heap is half of it), or by a probe.',
      'Killed by SIGKILL without either: its event loop stood still for 10 s. See DragonflySupernodeOverloaded.',
    ],
    expression: ({ supernode }) => `changes(process_start_time_seconds{${supernode}}[1h]) > 2`,
  },
];
