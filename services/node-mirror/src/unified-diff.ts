const CONTEXT = 3;
const NO_NEWLINE = '\\ No newline at end of file';

/** A text's lines; the last one carries the remark when no line end follows it. */
function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  return last === '' ? lines : [...lines, `${last}\n${NO_NEWLINE}`];
}

function range(start: number, count: number): string {
  return count === 1 ? String(start + 1) : `${count === 0 ? start : start + 1},${count}`;
}

/**
 * What changes between two texts in the form of `diff -u`, as one hunk; empty when nothing does.
 *
 * @param before `undefined`: there is no file
 * @param after `undefined`: the file goes
 */
export function unifiedDiff(name: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return '';
  const [old, fresh] = [linesOf(before ?? ''), linesOf(after ?? '')];
  const shorter = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < shorter && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  const start = Math.max(0, head - CONTEXT);
  const trailing = Math.min(CONTEXT, tail);
  const counts = [old, fresh].map((lines) => lines.length - tail + trailing - start);
  return [
    `--- ${before === undefined ? '/dev/null' : name}`,
    `+++ ${after === undefined ? '/dev/null' : name}`,
    `@@ -${range(start, counts[0] ?? 0)} +${range(start, counts[1] ?? 0)} @@`,
    ...old.slice(start, head).map((line) => ` ${line}`),
    ...old.slice(head, old.length - tail).map((line) => `-${line}`),
    ...fresh.slice(head, fresh.length - tail).map((line) => `+${line}`),
    ...old.slice(old.length - tail, old.length - tail + trailing).map((line) => ` ${line}`),
  ].join('\n');
}
