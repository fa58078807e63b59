import type { EditRecord } from '../files/record';
import { fingerprint, sameContent } from '../files/snapshot';
import type { Plan } from '../runtime';
import { withoutAdditions } from './additions';
import type { DockerFacts } from './docker-facts';
import { saysNothing } from './list-edits';
import { stepsTo, textOf } from './steps';

interface Target {
  readonly content: Buffer | undefined;
  readonly summary: string;
}

function target(facts: DockerFacts, record: EditRecord, backup: Buffer | undefined): Target {
  const { current, title } = facts;
  const now = fingerprint(current.bytes);
  if (now === record.original) return { content: current.bytes, summary: 'already as it was before the first apply' };
  if (current.bytes === undefined) return { content: undefined, summary: 'removed by someone else; stays so' };
  if (record.derived.includes(now)) {
    if (!record.existed) return { content: undefined, summary: 'removed, as there was none before the first apply' };
    if (backup !== undefined) return { content: backup, summary: 'its first bytes are back' };
  }
  const text = textOf(title, current.bytes);
  const rest = withoutAdditions(title, text, record);
  if (!record.existed && saysNothing(title, rest)) {
    return { content: undefined, summary: 'removed, as there was none before the first apply' };
  }
  return {
    content: rest === text ? current.bytes : Buffer.from(rest),
    summary: 'edited by others since; only the entry of node-mirror was removed',
  };
}

/**
 * The plan that undoes what the record tells of: the first bytes when the file is as node-mirror wrote it, otherwise only
 * its own entry goes.
 *
 * @throws Refusal when others have edited the file into something that is not valid
 */
export function planDockerRestore(facts: DockerFacts, old: EditRecord, backup: Buffer | undefined): Plan {
  const { current } = facts;
  const { content, summary } = target(facts, old, backup);
  const steps = stepsTo(facts, content);
  const pure = fingerprint(content) === old.original;
  const between = steps.slice(0, -1).map((step) => fingerprint(step.content));
  const record: EditRecord = pure ? { ...old, derived: [...new Set([...old.derived, ...between])] } : old;
  return {
    current,
    steps,
    record,
    summary: sameContent(current.bytes, content) ? 'stays as it is' : summary,
  };
}
