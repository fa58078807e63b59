import { type EditRecord, isUntouched, recordOf } from '../files/record';
import { sameContent } from '../files/snapshot';
import type { Former, Plan } from '../runtime';
import { additionsTo, withoutAdditions, withoutFormer, withWish } from './additions';
import type { DockerFacts } from './docker-facts';
import { checkMirrors, saysNothing } from './list-edits';
import { statesBetween, stepsTo, textOf } from './steps';

/** The file without what earlier runs have added to it, and the text to add to. */
interface Ground {
  readonly base: Buffer | undefined;
  readonly text: string;
}

function groundOf(facts: DockerFacts, record: EditRecord | undefined, backup: Buffer | undefined): Ground {
  const { title, current, wish } = facts;
  const text = textOf(title, current.bytes);
  if (record === undefined) return { base: current.bytes, text };
  if (isUntouched(record, current.bytes) && (backup !== undefined || !record.existed)) {
    return { base: backup, text: textOf(title, backup) };
  }
  const base = withoutAdditions(title, text, record);
  return {
    base: !record.existed && saysNothing(title, base) ? undefined : Buffer.from(base),
    text: withoutFormer(title, text, record, wish),
  };
}

/**
 * The plan that puts the mirror first, and the record that undoes it.
 *
 * @throws Refusal when the file is not one that dockerd takes, or that can be edited with certainty
 */
export function planDockerApply(
  facts: DockerFacts,
  old: EditRecord | undefined,
  backup: Buffer | undefined,
  former: Former,
): Plan {
  const { title, current, wish } = facts;
  const { base, text } = groundOf(facts, former === 'stays' ? undefined : old, backup);
  checkMirrors(title, text, facts.version);
  const result = withWish(title, text, wish);
  const next = Buffer.from(result.text);
  const same = sameContent(current.bytes, next);
  const plan = { current, steps: stepsTo(facts, next), summary: result.summary(same) };
  if (old === undefined && same) return plan;

  const record = recordOf(old, {
    current: current.bytes,
    base,
    // And the states on the way back, see stepsTo: a roll-back may be killed in them.
    states: [next, ...statesBetween(title, text), Buffer.from(text)],
    ...additionsTo(title, textOf(title, base), wish),
  });
  return { ...plan, base, record: old?.told === undefined ? record : { ...record, told: old.told } };
}
