import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest as PlainManifest } from '../src/policy/manifest';
import { templateOf } from '../src/policy/manifest';
import { faultsOf } from '../src/policy/rules';
import { violations } from './support/pod-security';
import type { PodSpec } from './support/pod-security';
import { EXCEPTIONS } from './support/pod-security-exceptions';
import { schemaFaults } from './support/strict';
import { parseManifests } from './support/synth';
import type { Manifest } from './support/synth';

const FOLDER = join(__dirname, 'golden');
/** The snapshots of test/manifests.test.ts and test/examples.test.ts. */
const names = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
/** Without what is for kustomize, not for the API server. */
const manifestsOf = (name: string): Manifest[] =>
  parseManifests(readFileSync(join(FOLDER, name), 'utf8')).filter(({ kind }) => kind !== 'Kustomization');

describe.each(names)('the snapshot %s', (name) => {
  const manifests = manifestsOf(name);

  it('keeps to the schema of Kubernetes 1.27 and of the Prometheus Operator, without unknown keys', () => {
    expect(schemaFaults(manifests)).toEqual([]);
  });

  it('keeps to what no schema says', () => {
    expect(manifests.flatMap((manifest) => faultsOf(manifest as PlainManifest))).toEqual([]);
  });
});

it('the schema check finds an unknown key, a missing selector, a wrong type and a removed version', () => {
  const find = (wanted: string): Manifest => manifestsOf('everything.yaml').find(({ kind }) => kind === wanted)!;
  const set = find('StatefulSet') as unknown as { spec: { template: { spec: object } } };
  const { template } = set.spec;
  const faulty = [
    { ...set, spec2: {} },
    { ...set, spec: { ...set.spec, template: { ...template, spec: { ...template.spec, hostPid: true } } } },
    { ...set, spec: { template: {} } },
    { ...set, metadata: { name: 7 } },
    { ...set, apiVersion: 'extensions/v1beta1' },
    { ...find('PodMonitor'), spec: { selector: {}, podMetricsEndpoints: [{ ports: 'api' }] } },
  ];
  const faults = schemaFaults(faulty as unknown as Manifest[]).join('\n');
  expect(faults).toContain('StatefulSet.spec2 does not exist');
  expect(faults).toContain('StatefulSet.spec.template.spec.hostPid does not exist');
  expect(faults).toMatch(/must have required property selector/);
  expect(faults).toMatch(/must be string/);
  expect(faults).toMatch(/not among the known kinds/);
  expect(faults).toContain('PodMonitor.spec.podMetricsEndpoints.0.ports does not exist');
});

interface Pod {
  readonly snapshot: string;
  readonly namespace: string;
  readonly spec: PodSpec;
  readonly isClassic: boolean;
}

function podsOf(snapshot: string): Pod[] {
  return manifestsOf(snapshot).flatMap((manifest) => {
    const template = templateOf(manifest)?.template;
    const isClassic = template?.metadata?.labels?.['app.kubernetes.io/part-of'] === undefined;
    const { namespace = '' } = manifest.metadata;
    return template === undefined ? [] : [{ snapshot, namespace, spec: template.spec as PodSpec, isClassic }];
  });
}

describe('the Pod Security Standards', () => {
  const pods = names.flatMap(podsOf);
  /** The classic installation is the one text that users had: it keeps to no standard. */
  const ours = pods.filter(({ isClassic }) => !isClassic);
  const excepted = (spec: PodSpec, of: string, control: string): readonly (typeof EXCEPTIONS)[number][] =>
    EXCEPTIONS.filter(
      ({ container, controls }) =>
        controls.includes(control) &&
        (of === 'pod' ? spec.containers.some(({ name }) => name === container) : of === container),
    );

  it('restricted is kept by all pods, but for the listed exceptions', () => {
    expect(ours.length).toBeGreaterThan(10);
    const unlisted = ours.flatMap(({ snapshot, spec }) =>
      violations(spec)
        .filter(({ of, control }) => excepted(spec, of, control).length === 0)
        .map(({ level, control, of }) => `${snapshot}: ${of} breaks ${control} (${level})`),
    );
    expect(unlisted).toEqual([]);
  });

  it('each listed exception is one that some pod needs', () => {
    const needed = new Set(
      ours.flatMap(({ spec }) =>
        violations(spec).flatMap(({ of, control }) =>
          excepted(spec, of, control).map(({ container }) => `${container}: ${control}`),
        ),
      ),
    );
    const listed = EXCEPTIONS.flatMap(({ container, controls }) =>
      controls.map((control) => `${container}: ${control}`),
    );
    expect([...needed].sort()).toEqual([...new Set(listed)].sort());
  });

  it('docs/constructs.md tells each exception and its reason', () => {
    const text = readFileSync(join(__dirname, '..', 'docs', 'constructs.md'), 'utf8').replace(/ +/g, ' ');
    for (const { who, what, why } of EXCEPTIONS) expect(text).toContain(`| ${who} | ${what} | ${why} |`);
  });

  it('a namespace that is made admits its pods, and no more than they need', () => {
    const made = names.flatMap((snapshot) =>
      manifestsOf(snapshot)
        .filter(({ kind }) => kind === 'Namespace')
        .map(({ metadata }) => ({
          snapshot,
          name: metadata.name,
          labels: (metadata as PlainManifest['metadata']).labels,
        })),
    );
    expect(made.length).toBeGreaterThan(3);
    for (const { snapshot, name, labels } of made) {
      const levels = pods
        .filter((pod) => pod.snapshot === snapshot && pod.namespace === name)
        .flatMap(({ spec }) => violations(spec).map(({ level }) => level));
      const needed = levels.includes('baseline') ? 'privileged' : levels.length > 0 ? 'baseline' : 'restricted';
      expect({ snapshot, enforce: labels?.['pod-security.kubernetes.io/enforce'] }).toEqual({
        snapshot,
        enforce: needed,
      });
    }
  });

  it('the check sees each control', () => {
    const container = (securityContext: object, more: object = {}): PodSpec => ({
      containers: [{ name: 'c', securityContext: { ...KEPT, ...securityContext }, ...more }],
    });
    const controls = (pod: PodSpec): string[] => violations(pod).map(({ level, control }) => `${level} ${control}`);
    expect(controls(container({}))).toEqual([]);
    expect(controls({ ...container({}), hostIPC: true })).toEqual(['baseline Host Namespaces']);
    expect(controls(container({ privileged: true }))).toEqual(['baseline Privileged Containers']);
    expect(controls(container({ capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }))).toEqual([
      'baseline Capabilities',
      'restricted Capabilities',
    ]);
    expect(controls({ ...container({}), volumes: [{ name: 'v', hostPath: {} }] })).toEqual([
      'baseline HostPath Volumes',
      'restricted Volume Types',
    ]);
    expect(controls(container({}, { ports: [{ hostPort: 80 }] }))).toEqual(['baseline Host Ports']);
    expect(controls(container({ seLinuxOptions: { type: 'spc_t' } }))).toEqual(['baseline SELinux']);
    expect(controls(container({ procMount: 'Unmasked' }))).toEqual(['baseline /proc Mount Type']);
    expect(controls(container({ seccompProfile: { type: 'Unconfined' } }))).toEqual([
      'baseline Seccomp',
      'restricted Seccomp',
    ]);
    expect(controls({ ...container({}), securityContext: { sysctls: [{ name: 'kernel.msgmax' }] } })).toEqual([
      'baseline Sysctls',
    ]);
    expect(controls(container({ windowsOptions: { hostProcess: true } }))).toEqual(['baseline HostProcess']);
    expect(controls(container({ allowPrivilegeEscalation: undefined }))).toEqual(['restricted Privilege Escalation']);
    expect(controls(container({ runAsNonRoot: undefined }))).toEqual(['restricted Running as Non-root']);
    expect(controls(container({ runAsUser: 0 }))).toEqual(['restricted Running as Non-root user']);
    expect(controls(container({ capabilities: {} }))).toEqual(['restricted Capabilities']);
  });
});

const KEPT = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
