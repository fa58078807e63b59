import { App, Chart, Testing, Yaml } from 'cdk8s';
import type { ChartProps } from 'cdk8s';
import { parseAllDocuments } from 'yaml';

/** A chart of an app of its own, as a user has it. */
export function chart(props: ChartProps = {}): Chart {
  return new Chart(new App({ outdir: '/nonexistent' }), 'test', props);
}

/** The text that `cdk8s synth` would write for a chart. */
export function yamlOf(scope: Chart): string {
  return Yaml.stringify(...(Testing.synth(scope) as unknown[]));
}

/** A Kubernetes object as the API server would read it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The objects in a text of YAML 1.1, in which Kubernetes reads `0600` as an octal number. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      throw error;
    }
    return document.toJS() as Manifest;
  });
}

/** The objects of a chart, read back from the text that `cdk8s synth` would write. */
export function manifestsOf(scope: Chart): Manifest[] {
  return parseManifests(yamlOf(scope));
}
