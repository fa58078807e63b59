import { parseCommand, sourceOf } from '@cdk8s-dragonfly/command';
import { DFDAEMON, DFGET_PREHEAT, NODE_MIRROR, SUPERNODE } from '@cdk8s-dragonfly/contract';
import type { CommandSpec } from '@cdk8s-dragonfly/contract';
import { Testing } from 'cdk8s';
import type { Chart } from 'cdk8s';

const COMMANDS: readonly CommandSpec[] = [SUPERNODE, DFDAEMON, NODE_MIRROR, DFGET_PREHEAT];

type Props = Readonly<Record<string, unknown>>;
type Texts = Readonly<Record<string, string>>;

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Texts; readonly annotations?: Texts };
  readonly data?: Texts;
  readonly spec?: {
    readonly template?: { readonly metadata: object; readonly spec: Pod };
    readonly jobTemplate?: { readonly spec: { readonly template: { readonly metadata: object; readonly spec: Pod } } };
  };
}

interface Pod {
  readonly containers: readonly Container[];
  readonly tolerations?: readonly { readonly key?: string }[];
  readonly volumes?: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
}

interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly fieldRef?: { readonly fieldPath: string };
      readonly secretKeyRef?: { readonly key: string };
    };
  }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
}

/** What a container's command understands of its arguments, its environment and the files that are mounted for it. */
export interface ContainerView extends Container {
  /** By the names of the contract. */
  readonly values: Props;
  readonly variables: Texts;
}

/** Of each flag of a command that was set, not left to its default: who set it, and the value. */
export type Settings = ReadonlyMap<string, unknown>;

/** What became of some props: the objects by kind and name, and of each object with pods what its commands understand. */
export class View {
  readonly objects: Readonly<Record<string, Manifest>>;
  /** By kind and name of the object: its pod. */
  readonly pods: Readonly<
    Record<string, Pod & { readonly template: object; readonly by: Readonly<Record<string, ContainerView>> }>
  >;
  /** The kinds of all objects, in their order. */
  readonly kinds: readonly string[];
  readonly configMaps: readonly string[];
  /** The names of the namespaces that are made. */
  readonly namespaces: readonly string[];
  /** Labels and annotations that all objects have. */
  readonly everywhere: { readonly labels: Texts; readonly annotations: Texts };
  /** By command: the flags that were set. */
  readonly settings = new Map<string, Map<string, unknown>>();

  constructor(chart: Chart) {
    const manifests = Testing.synth(chart) as Manifest[];
    this.objects = Object.fromEntries(manifests.map((manifest) => [nameOf(manifest), manifest]));
    const named = (wanted: string): string[] =>
      manifests.filter(({ kind }) => kind === wanted).map(({ metadata }) => metadata.name);
    this.kinds = manifests.map(({ kind }) => kind);
    this.namespaces = named('Namespace');
    this.configMaps = named('ConfigMap');
    this.everywhere = {
      labels: common(manifests.map(({ metadata }) => metadata.labels ?? {})),
      annotations: common(manifests.map(({ metadata }) => metadata.annotations ?? {})),
    };
    this.pods = Object.fromEntries(
      manifests.flatMap((manifest) => {
        const template = manifest.spec?.jobTemplate?.spec.template ?? manifest.spec?.template;
        if (template === undefined) return [];
        const { metadata, spec } = template;
        const by = spec.containers.map((container) => [container.name, this.read(container, spec)] as const);
        return [[nameOf(manifest), { ...ABSENT, ...spec, template: metadata, by: Object.fromEntries(by) }] as const];
      }),
    );
  }

  private read(container: Container, pod: Pod): ContainerView {
    const variables = variablesOf(container);
    const command = COMMANDS.find(({ name }) => name === (container.command?.join(' ') ?? CLASSIC[container.name]));
    if (command === undefined) throw new Error(`${container.name} runs none of our commands`);
    const args = (container.args ?? []).map((arg) =>
      arg.replace(/\$\((\w+)\)/g, (text, name: string) => variables[name] ?? text),
    );
    const readFile = (path: string): string => {
      const text = this.mounted(path, container, pod);
      if (text === undefined) throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' });
      return text;
    };
    const values = parseCommand(command, args, { env: variables, readFile });
    // The classic installation is one text without flags.
    if (container.command === undefined) return viewed(container, values, variables);
    const settings = this.settings.get(command.name) ?? new Map<string, unknown>();
    this.settings.set(command.name, settings);
    for (const name of [...Object.keys(command.flags), ...Object.keys(command.lists ?? {})]) {
      const value = (values as Readonly<Record<string, unknown>>)[name];
      const source = sourceOf(values, name as never);
      const isSet = source === undefined ? isFilled(value) : source !== 'default' && source !== 'none';
      if (isSet) settings.set(name, value);
    }
    return viewed(container, values, variables);
  }

  /** The text of a file that comes from a ConfigMap of ours. */
  private mounted(path: string, { volumeMounts = [] }: Container, { volumes = [] }: Pod): string | undefined {
    const mount = volumeMounts.find(({ mountPath }) => mountPath === path);
    const configMap = volumes.find(({ name }) => name === mount?.name)?.configMap;
    return this.objects[`ConfigMap ${configMap?.name ?? ''}`]?.data?.[mount?.subPath ?? ''];
  }
}

function viewed(container: Container, values: object, variables: Texts): ContainerView {
  // A URL has no fields of its own that could differ.
  const plain = Object.entries(values).map(
    ([name, value]) => [name, value instanceof URL ? value.href : value] as const,
  );
  return { args: [], ...container, values: Object.fromEntries<unknown>(plain), variables };
}

/** What the images of the classic installation run, by the name of the container. */
const CLASSIC: Texts = { supernode: SUPERNODE.name, 'df-daemon': DFDAEMON.name };

/** What a pod need not say, so that its absence can be seen. */
const ABSENT = { affinity: null, tolerations: [] };

function nameOf({ kind, metadata }: Manifest): string {
  // A Job's name ends in a hash of its content.
  return `${kind} ${kind === 'Job' ? metadata.name.replace(/-[0-9a-f]{10}$/, '') : metadata.name}`;
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function variablesOf({ env = [] }: Container): Texts {
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => [
      name,
      value ?? FIELDS[valueFrom?.fieldRef?.fieldPath ?? ''] ?? valueFrom?.secretKeyRef?.key ?? '',
    ]),
  );
}

/** What the kubelet says of a pod. */
const FIELDS: Texts = { 'status.podIP': '10.1.2.3', 'status.hostIP': '192.0.2.7', 'spec.nodeName': 'w1' };

function common(all: readonly Texts[]): Texts {
  const [first = {}, ...others] = all;
  return Object.fromEntries(Object.entries(first).filter(([key, value]) => others.every((one) => one[key] === value)));
}
