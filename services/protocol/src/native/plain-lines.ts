import { isBlobId } from '../digest';
import { MAX_BLOCK } from '../grid/block-set';
import type { LineForm } from './lines';
import { haveEvent, sessionEvent } from './messages';
import type { HaveEvent, SessionEvent } from './messages';

/** Longer lines come seldom. */
const SHORT = 256;

const PING = '{"type":"ping"}';
const ADDED = '{"type":"added","blocks":[';
const UNATTESTED = '],"unattested":[';
const ADDED_OF = '{"type":"added","blob":"';
const BLOCKS = '","blocks":[';

const ZERO = 48;
const COMMA = 44;

/**
 * A line of a peer's stream of what it has: what {@link haveEvent} takes. Lines of a few new blocks come by the thousand, and mostly into a
 * process that wakes up for one: as they are usually written, they are read by a few comparisons, for a fraction of what a parser and a schema
 * take. All others are theirs.
 */
export const haveLine: LineForm<HaveEvent> = {
  plain: plainHave,
  safeParse: (document) => haveEvent.safeParse(document),
};

/** The same for a line of a session's stream. */
export const sessionLine: LineForm<SessionEvent> = {
  plain: plainSession,
  safeParse: (document) => sessionEvent.safeParse(document),
};

function plainHave(line: string): HaveEvent | undefined {
  if (line === PING) return { type: 'ping' };
  if (line.length > SHORT || !line.startsWith(ADDED)) return undefined;
  const end = line.indexOf(']', ADDED.length);
  const blocks = numbers(line, ADDED.length, end);
  if (blocks === undefined) return undefined;
  if (!line.startsWith(UNATTESTED, end))
    return line.startsWith(']}', end) && line.length === end + 2 ? { type: 'added', blocks } : undefined;
  if (!line.endsWith(']}')) return undefined;
  const unattested = numbers(line, end + UNATTESTED.length, line.length - 2);
  return unattested === undefined ? undefined : { type: 'added', blocks, unattested };
}

function plainSession(line: string): SessionEvent | undefined {
  if (line === PING) return { type: 'ping' };
  if (line.length > SHORT || !line.startsWith(ADDED_OF) || !line.endsWith(']}')) return undefined;
  const end = line.indexOf(BLOCKS);
  const blob = line.slice(ADDED_OF.length, end);
  if (!isBlobId(blob)) return undefined;
  const blocks = numbers(line, end + BLOCKS.length, line.length - 2);
  return blocks === undefined ? undefined : { type: 'added', blob, blocks };
}

/** Block numbers with commas between, from `start` to before `end`; undefined when there is anything else. */
function numbers(line: string, start: number, end: number): number[] | undefined {
  const all: number[] = [];
  if (start === end) return all;
  let number = -1;
  for (let at = start; at <= end; at += 1) {
    const code = at === end ? COMMA : line.charCodeAt(at);
    if (code === COMMA) {
      if (number < 0 || number > MAX_BLOCK) return undefined;
      all.push(number);
      number = -1;
    } else {
      const digit = code - ZERO;
      // None follows a zero at the beginning.
      if (digit < 0 || digit > 9 || number === 0) return undefined;
      number = number < 0 ? digit : number * 10 + digit;
    }
  }
  // The end comes before the start where there is no end.
  return all.length === 0 ? undefined : all;
}
