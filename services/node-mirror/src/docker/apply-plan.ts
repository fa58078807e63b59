import { type EditRecord, isUntouched, recordOf } from '../files/record';
import { sameContent } from '../files/snapshot';
import { sameMirror } from '../mirror-url';
import type { Plan } from '../runtime';
import type { DockerFacts } from './docker-facts';
import { mirrorsIn, saysNothing, withEmptyList, withMirrorFirst, withoutMirror } from './mirror-edits';
import { stepsTo, textOf } from './steps';

const SUMMARIES = {
  kept: 'the first of registry-mirrors, as before',
  moved: 'moved to the first place of registry-mirrors',
  added: 'added as the first of registry-mirrors',
} as const;

/** The file without what earlier runs have added to it, and the text to add the mirror to. */
interface Ground {
  readonly base: Buffer | undefined;
  readonly text: string;
}

function groundOf(facts: DockerFacts, record: EditRecord | undefined, backup: Buffer | undefined): Ground {
  const { title, current, mirror } = facts;
  const text = textOf(title, current.bytes);
  if (record === undefined) return { base: current.bytes, text };
  if (isUntouched(record, current.bytes) && (backup !== undefined || !record.existed)) {
    return { base: backup, text: textOf(title, backup) };
  }
  const without = (mirrors: readonly string[], drop: boolean): string =>
    mirrors.reduce((rest, own) => withoutMirror(title, rest, own, drop), text);
  const base = without(record.added, record.keyCreated);
  const former = record.added.filter((own) => !sameMirror(own, mirror));
  return {
    base: !record.existed && saysNothing(title, base) ? undefined : Buffer.from(base),
    text: without(former, false),
  };
}

/**
 * The plan that puts the mirror first, and the record that undoes it.
 *
 * @throws Refusal when the file is not one that dockerd takes, or that can be edited with certainty
 */
export function planDockerApply(facts: DockerFacts, old: EditRecord | undefined, backup: Buffer | undefined): Plan {
  const { title, current, mirror } = facts;
  const { base, text } = groundOf(facts, old, backup);
  const result = withMirrorFirst(title, text, mirror);
  const next = Buffer.from(result.text);
  const steps = stepsTo(facts, next, [mirror]);
  const plan = {
    current,
    steps,
    summary: `${mirror} ${SUMMARIES[sameContent(current.bytes, next) ? 'kept' : result.edit]}`,
  };
  if (old === undefined && sameContent(current.bytes, next)) return plan;

  const plain = textOf(title, base);
  const listed = mirrorsIn(title, plain);
  const record = recordOf(old, {
    current: current.bytes,
    base,
    // And the states on the way back, see stepsTo: a roll-back may be killed in them.
    states: [next, Buffer.from(withEmptyList(title, text)), Buffer.from(text)],
    added: listed?.some((own) => sameMirror(own, mirror)) === true ? [] : [mirror],
    keyCreated: listed === undefined,
  });
  return { ...plan, base, record: old?.told === undefined ? record : { ...record, told: old.told } };
}
