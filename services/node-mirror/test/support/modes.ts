import type { CheckScope, NodeMirror } from '../../src/node-mirror';
import { Refusal } from '../../src/refusal';
import { type Report, refusals, reportLines } from '../../src/report';

/** The modes of a node-mirror as its command shows them: lines, or a refusal. */
export interface Modes {
  apply(): Promise<void>;
  plan(): Promise<void>;
  check(scope?: CheckScope): Promise<void>;
  restore(): Promise<void>;
}

/** Says the lines of each report, and throws what it refused. */
export function modesOf(nodeMirror: NodeMirror, say: (line: string) => void): Modes {
  const run = async (work: Promise<Report>): Promise<void> => {
    const report = await work;
    reportLines(report).forEach(say);
    const reasons = refusals(report);
    if (reasons.length > 0) throw new Refusal(reasons.join('\n'));
  };
  return {
    apply: async () => run(nodeMirror.apply()),
    plan: async () => run(nodeMirror.plan()),
    check: async (scope) => run(nodeMirror.check(scope)),
    restore: async () => run(nodeMirror.restore()),
  };
}
