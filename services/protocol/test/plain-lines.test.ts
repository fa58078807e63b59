import {
  LineCutter,
  MAX_BLOCK,
  haveEvent,
  haveLine,
  lineOf,
  sessionEvent,
  sessionLine,
} from '@cdk8s-dragonfly/protocol';
import type { LineForm } from '@cdk8s-dragonfly/protocol';
import * as fc from 'fast-check';

const blob = `sha256:${'ab'.repeat(32)}`;

/** A document, or what is said of it. */
function heard(form: LineForm<unknown>, line: string): unknown {
  let document: unknown;
  const cutter = new LineCutter<unknown>(form, (heard) => (document = heard));
  try {
    cutter.cut(Buffer.from(`${line}\n`));
  } catch (error) {
    return (error as Error).message;
  }
  // Its fields in their order: what is left out of a document is left out of both.
  return [document, Object.keys(document as object)];
}

const block = fc.oneof(
  { weight: 40, arbitrary: fc.integer({ min: 0, max: MAX_BLOCK }) },
  fc.constantFrom(0, -0, 0.5, -1, MAX_BLOCK, MAX_BLOCK + 1, 2 ** 32, 1e21, '1', null),
);
const blocks = fc.oneof(
  { weight: 8, arbitrary: fc.array(block, { maxLength: 6 }) },
  fc.constantFrom<unknown>(7, '7', null, {}, [[1]], Array(300).fill(1)),
);
const written = fc
  .oneof(
    fc.record(
      { type: fc.constantFrom('added', 'added', 'added', 'have', 'x'), blocks, unattested: blocks },
      { requiredKeys: ['type'] },
    ),
    fc.record({ type: fc.constant('added'), blob: fc.constantFrom(blob, blob, 'sha256:../x'), blocks }),
    fc.record({ type: fc.constant('ping'), within: fc.constantFrom(10, -1) }, { requiredKeys: ['type'] }),
  )
  .map((document) => JSON.stringify(document));

/** Lines as they are written, and the same with a character more, another, or one less. */
const line = fc
  .tuple(
    written,
    fc.boolean(),
    fc.nat(),
    fc.constantFrom(...'0 1 2 9 , . - + e E [ ] { } " : \t \0 é'.split(' '), ' '),
    fc.boolean(),
  )
  .map(([text, isChanged, place, character, isMore]) => {
    if (!isChanged) return text;
    const at = place % (text.length + 1);
    return text.slice(0, at) + character + text.slice(isMore ? at : at + 1);
  });

const beginning = `{"type":"added","blob":"${blob}","blocks":[`;
/** Such as chance seldom finds. */
const nearly = [
  ...['01]}', '00]}', '1,01]}', '1]', '1]}}', '1]} ', '1]}1', '1xx', '1,]}', ',]}', ',1]}', ']}', ']'],
  ...['],"unattested":[1xx', '],"unattested":[01]}', '],"unattested":[1]}}', '],"unattested":[', '],"unattested":]}'],
].flatMap((end) => [`${beginning}${end}`, `{"type":"added","blocks":[${end}`]);

describe.each([
  ['of what a peer has', haveLine, haveEvent],
  ['of a session', sessionLine, sessionEvent],
] as [string, LineForm<unknown>, LineForm<unknown>][])('a line %s', (_what, form, schema) => {
  it('is taken for what JSON and the schema take it for, right or wrong', () => {
    let plain = 0;
    fc.assert(
      fc.property(line, (text) => {
        if (form.plain?.(text) !== undefined) plain += 1;
        expect(heard(form, text)).toEqual(heard({ safeParse: (document) => schema.safeParse(document) }, text));
      }),
      { numRuns: 500, examples: nearly.map((text): [string] => [text]) },
    );
    // Else nothing but what is left to the schema was tried.
    expect(plain).toBeGreaterThan(20);
  });
});

test('what daemons and supernodes write of new blocks is plain', () => {
  const plain = (document: object): unknown => haveLine.plain?.(lineOf(document).trimEnd());
  for (const document of [
    { type: 'ping' },
    { type: 'added', blocks: [] },
    { type: 'added', blocks: [0, 10, MAX_BLOCK], unattested: [] },
    { type: 'added', blocks: [], unattested: [7] },
  ])
    expect(plain(document)).toEqual(document);
  const news = { type: 'added', blob, blocks: [3, MAX_BLOCK] };
  expect(sessionLine.plain?.(lineOf(news).trimEnd())).toEqual(news);
  for (const document of [
    { type: 'added', blocks: [MAX_BLOCK + 1] },
    { type: 'added', blocks: Array(300).fill(1) },
  ])
    expect(plain(document)).toBeUndefined();
});
