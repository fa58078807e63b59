import { Refusal } from '../refusal';
import type { JsonAnswer } from '../http-json';
import type { ApiClient } from './api-client';

/** Others change nodes too: kubelet every few seconds. */
const ATTEMPTS = 5;

interface NodeFacts {
  readonly resourceVersion: string;
  readonly taints: readonly unknown[];
}

const member = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;

function nodeFacts(node: unknown): NodeFacts | undefined {
  const resourceVersion = member(member(node, 'metadata'), 'resourceVersion');
  const taints = member(member(node, 'spec'), 'taints');
  if (typeof resourceVersion !== 'string') return undefined;
  return { resourceVersion, taints: Array.isArray(taints) ? taints : [] };
}

function refusal(what: string, { status, body }: JsonAnswer): Refusal {
  const message = member(body, 'message');
  const why = typeof message === 'string' ? `: ${message}` : '';
  const hint = status === 401 || status === 403 ? ' (the service account needs get and patch of nodes)' : '';
  return new Refusal(`${what}: the Kubernetes API answered ${status}${why}${hint}`);
}

/**
 * Removes all taints with this key from a node; others stay, also when they come meanwhile.
 *
 * @returns whether there was one
 * @throws Refusal when the API does not let it, or does not answer
 */
export async function removeTaint(api: Pick<ApiClient, 'ask'>, node: string, key: string): Promise<boolean> {
  const path = `/api/v1/nodes/${encodeURIComponent(node)}`;
  const what = `the taint ${key} of node ${node} cannot be removed`;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await api.ask('GET', path);
    const facts = answer.status === 200 ? nodeFacts(answer.body) : undefined;
    if (facts === undefined) throw refusal(what, answer);
    const taints = facts.taints.filter((taint) => member(taint, 'key') !== key);
    if (taints.length === facts.taints.length) return false;
    // With the version in the patch the API refuses it (409) when somebody else has changed the node since.
    const patch = { metadata: { resourceVersion: facts.resourceVersion }, spec: { taints } };
    const patched = await api.ask('PATCH', path, patch);
    if (patched.status === 200) return true;
    if (patched.status !== 409 || attempt === ATTEMPTS) throw refusal(what, patched);
  }
}
