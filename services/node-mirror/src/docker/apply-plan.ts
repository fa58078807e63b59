import type { EditRecord } from '../files/record';
import { fingerprint, sameContent } from '../files/snapshot';
import { sameMirror } from '../mirror-url';
import type { Plan } from '../runtime';
import type { DockerFacts } from './docker-facts';
import { mirrorsIn, withEmptyList, withMirrorFirst, withoutMirror } from './mirror-edits';
import { stepsTo, textOf } from './steps';

const SUMMARIES = {
  kept: 'the first of registry-mirrors, as before',
  moved: 'moved to the first place of registry-mirrors',
  added: 'added as the first of registry-mirrors',
} as const;

/** The text to add the mirror to: the file's, without other mirrors that an earlier run added. */
function baseText(facts: DockerFacts, record: EditRecord, backup: Buffer | undefined): string {
  const text = textOf(facts.title, facts.current.bytes);
  const former = record.added.filter((mirror) => !sameMirror(mirror, facts.mirror));
  if (former.length === 0) return text;
  const untouched = record.derived.includes(fingerprint(facts.current.bytes));
  if (untouched && (backup !== undefined || !record.existed)) return textOf(facts.title, backup);
  return former.reduce((rest, mirror) => withoutMirror(facts.title, rest, mirror, false), text);
}

/**
 * The plan that puts the mirror first, and the record that undoes it.
 *
 * @throws Refusal when the file is not one that dockerd takes, or that can be edited with certainty
 */
export function planDockerApply(facts: DockerFacts, old: EditRecord | undefined, backup: Buffer | undefined): Plan {
  const { title, path, current, mirror } = facts;
  const base = old === undefined ? textOf(title, current.bytes) : baseText(facts, old, backup);
  const result = withMirrorFirst(title, base, mirror);
  const next = Buffer.from(result.text);
  const steps = stepsTo(facts, next, [mirror]);
  const summary = `${mirror} ${SUMMARIES[result.edit]}`;
  const plan = { title, path, current, steps, summary };
  if (sameContent(current.bytes, next)) return old === undefined ? plan : { ...plan, record: old };

  const was = fingerprint(current.bytes);
  const first = old === undefined || was === old.original;
  const pure = first || old.derived.includes(was);
  const listed = mirrorsIn(title, textOf(title, current.bytes)) ?? [];
  const listStillOurs = old?.keyCreated === true && listed.some((m) => old.added.some((own) => sameMirror(own, m)));
  // And the states on the way back, see stepsTo: a roll-back may be killed in them.
  const pureStates = [result.text, withEmptyList(title, base), base].map((text) => fingerprint(Buffer.from(text)));
  const record: EditRecord = {
    version: 1,
    existed: old?.existed ?? current.bytes !== undefined,
    folderCreated: old?.folderCreated ?? false,
    original: old?.original ?? was,
    derived: [...new Set([...(old?.derived ?? []), ...(pure ? pureStates : [])])],
    added: [...new Set([...(old?.added ?? []), ...(result.edit === 'added' ? [mirror] : [])])],
    keyCreated: first || result.keyCreated ? result.keyCreated : listStillOurs,
  };
  return { ...plan, record };
}
