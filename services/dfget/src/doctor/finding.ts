/** What the doctor looked at. */
export type Subject = 'df-daemon' | 'mirror' | 'supernode' | 'registry' | 'test blob' | 'runtime';

/** What was found of one thing. */
export interface Finding {
  readonly subject: Subject;
  /** `warn`: pulls work, but not as well as they could; `skip`: it was not looked at. */
  readonly state: 'ok' | 'warn' | 'fail' | 'skip';
  /** One sentence without a full stop. */
  readonly says: string;
  /** What to do, one sentence without a full stop; absent: nothing. */
  readonly advice?: string;
}

/** What was found on a node. */
export interface Diagnosis {
  /** The worst that was found. */
  readonly outcome: 'ok' | 'warn' | 'fail';
  readonly findings: readonly Finding[];
}

/** What all findings come to. */
export function diagnosisOf(findings: readonly Finding[]): Diagnosis {
  const outcome = (['fail', 'warn'] as const).find((bad) => findings.some(({ state }) => state === bad)) ?? 'ok';
  return { outcome, findings };
}

/** A diagnosis for a human: one line a finding, and what to do below it. */
export function diagnosisText({ outcome, findings }: Diagnosis): string {
  const lines = findings.flatMap(({ state, subject, says, advice }, at) => [
    `${(state === 'fail' ? 'FAIL' : state).padEnd(5)} ${subject}: ${says}`,
    ...(advice === undefined
      ? []
      : [`      do: ${advice === findings[at - 1]?.advice ? 'as above' : inSteps(advice)}`]),
  ]);
  const count = (wanted: Finding['state']): number => findings.filter(({ state }) => state === wanted).length;
  const [fails, warns, skips] = [count('fail'), count('warn'), count('skip')];
  const rest = skips === 0 ? '' : `; ${skips} not looked at`;
  const sum =
    outcome === 'ok' ? `nothing is wrong${rest}` : `${fails} failed, ${warns} could be better${rest}: see above`;
  return `${[...lines, sum].join('\n')}\n`;
}

/** Steps that are numbered stand on a line each. */
function inSteps(advice: string): string {
  return advice.replace(/; (?=\d\. )/g, ';\n          ');
}
