import fc from 'fast-check';
import { readDaemonJson } from '../src/docker/daemon-json';
import { MIRRORS, withEntry, withoutEntry } from '../src/docker/list-edits';
import { Refusal } from '../src/refusal';
import { MIRROR, PretendedNode } from './support/pretended-node';

const PATH = '/etc/docker/daemon.json';
const KEY = 'registry-mirrors';

const blank = fc.constantFrom('', '', ' ', '\n', '\r\n', '\t', '\n    ', ' \r\n\t');
const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\u0041\\/"', '"😀"', '""', '"registry-mirrors"', '"[{,:"'),
);
const number = fc.constantFrom('0', '-0', '1.50', '1E+3', '12345678901234567890', '0.1e-7');
const literal = fc.oneof(word, number, fc.constantFrom('true', 'false', 'null'));

/** Texts between brackets: items with blanks around them, and commas. */
const inside = (item: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(
        fc.tuple(blank, item, blank).map((parts) => parts.join('')),
        { maxLength: 3 },
      ),
      blank,
    )
    .map(([items, empty]) => (items.length === 0 ? empty : items.join(',')));

const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    literal,
    inside(tie('value')).map((text) => `[${text}]`),
    fc.tuple(blank, blank, tie('value')).map(([a, b, inner]) => `{"k"${a}:${b}${inner}}`),
  ),
}));

const mirrors = fc.array(fc.constantFrom(`${MIRROR}/`, MIRROR, 'http://a.example', 'https://b.example:5000/'), {
  maxLength: 4,
});
const list = fc.tuple(mirrors, fc.array(blank, { minLength: 9, maxLength: 9 })).map(([entries, blanks]) => {
  const items = entries.map(
    (entry, at) => `${blanks[2 * at] ?? ''}${JSON.stringify(entry)}${blanks[2 * at + 1] ?? ''}`,
  );
  return `[${items.length === 0 ? (blanks[8] ?? '') : items.join(',')}]`;
});

interface Document {
  readonly text: string;
  readonly others: readonly (readonly [string, string])[];
}

const keys = fc.uniqueArray(fc.constantFrom('debug', 'dns', 'log-opts', '', 'größe', '__proto__', '7', 'a\\b'), {
  maxLength: 4,
});

/** Valid documents in any formatting, with or without a list of mirrors, which stands anywhere. */
const documents: fc.Arbitrary<Document> = fc
  .tuple(
    keys,
    fc.array(value, { minLength: 4, maxLength: 4 }),
    fc.option(list),
    fc.nat(4),
    fc.array(blank, { minLength: 24, maxLength: 24 }),
  )
  .map(([names, values, mirrorList, position, blanks]) => {
    const others = names.map((name, at) => [JSON.stringify(name), values[at] ?? 'null'] as const);
    const members = [...others];
    if (mirrorList !== null) members.splice(Math.min(position, members.length), 0, [`"${KEY}"`, mirrorList] as const);
    const texts = members.map(([name, text], at) =>
      [blanks[4 * at], name, blanks[4 * at + 1], ':', blanks[4 * at + 2], text, blanks[4 * at + 3]].join(''),
    );
    const body = texts.length === 0 ? (blanks[20] ?? '') : texts.join(',');
    return { text: `${blanks[21] ?? ''}{${body}}${blanks[22] ?? ''}`, others };
  });

const mirrorsOf = (text: string): readonly string[] =>
  readDaemonJson(PATH, text).lists[KEY]?.entries.map((entry) => entry.value) ?? [];

const othersOf = (text: string): readonly (readonly [string, string])[] =>
  readDaemonJson(PATH, text)
    .members.filter((member) => member.key !== KEY)
    .map((member) => [JSON.stringify(member.key), text.slice(member.valueStart, member.valueEnd)]);

/** What dockerd shows of a document. */
const inForceWithout = (text: string): readonly string[] => [
  ...new Set(mirrorsOf(text).map((mirror) => `${mirror.replace(/\/$/, '')}/`)),
];

const isOurs = (mirror: string): boolean => mirror.replace(/\/$/, '') === MIRROR;

test('the mirror is first, foreign mirrors keep their order, other members their order and spelling', () => {
  fc.assert(
    fc.property(documents, ({ text, others }) => {
      const before = mirrorsOf(text);
      const result = withEntry(PATH, text, MIRRORS, MIRROR);
      JSON.parse(result.text);
      expect(othersOf(result.text)).toEqual(others);
      const after = mirrorsOf(result.text);
      expect(isOurs(after[0] ?? '')).toBe(true);
      expect(after.filter((mirror) => !isOurs(mirror))).toEqual(before.filter((mirror) => !isOurs(mirror)));
      expect(withEntry(PATH, result.text, MIRRORS, MIRROR)).toEqual({
        text: result.text,
        edit: 'kept',
        keyCreated: false,
      });
    }),
    { numRuns: 400 },
  );
});

test('an addition is one insertion, and taking it out again gives the same text, empty lists and objects aside', () => {
  fc.assert(
    fc.property(documents, ({ text, others }) => {
      const result = withEntry(PATH, text, MIRRORS, MIRROR);
      fc.pre(result.edit === 'added' && (result.keyCreated ? others.length > 0 : mirrorsOf(text).length > 0));
      expect(withoutEntry(PATH, result.text, MIRRORS, MIRROR, result.keyCreated)).toBe(text);
      let head = 0;
      while (head < text.length && text[head] === result.text[head]) head += 1;
      expect(result.text.endsWith(text.slice(head))).toBe(true);
    }),
    { numRuns: 400 },
  );
});

test('a text is taken when it is an object of JSON, and refused otherwise; damage never comes through', () => {
  const damage = fc.tuple(
    fc.nat(),
    fc.constantFrom(
      '',
      '',
      ',',
      '}',
      '"',
      '/',
      '/* */',
      '//',
      '\u00a0',
      '\v',
      '\f',
      '\uFEFF',
      '0',
      '-',
      '.',
      'e',
      '\\',
    ),
  );
  fc.assert(
    fc.property(documents, damage, ({ text }, [where, insert]) => {
      const at = where % (text.length + 1);
      const damaged = text.slice(0, at) + insert + text.slice(insert === '' ? at + 1 : at);
      let valid = true;
      try {
        JSON.parse(damaged);
      } catch {
        valid = false;
      }
      let refusal: unknown;
      try {
        readDaemonJson(PATH, damaged);
      } catch (error) {
        refusal = error;
      }
      expect(refusal === undefined || refusal instanceof Refusal).toBe(true);
      expect(refusal === undefined && !valid).toBe(false);
      // What is left for refusal in valid JSON: repeated keys, another top level, a list that is none.
      const message = refusal instanceof Refusal ? refusal.message : '';
      expect(valid && message !== '' && !/stands twice|top level|"registry-mirrors"/.test(message)).toBe(false);
      expect(message).not.toMatch(/not valid JSON/);
    }),
    { numRuns: 1000 },
  );
});

test('apply, apply, restore gives the first bytes back, with or without byte order mark', async () => {
  const node = new PretendedNode();
  try {
    await fc.assert(
      fc.asyncProperty(documents, fc.boolean(), async ({ text }, mark) => {
        const content = Buffer.from(mark ? `\uFEFF${text}` : text);
        await node.give(content);
        const before = node.dockerd.inForce;
        await node.mirror().apply();
        const patched = node.text;
        const { reloads } = node.dockerd;
        await node.mirror().apply();
        expect(node.text).toBe(patched);
        expect(node.dockerd.reloads).toBe(reloads);
        await node.mirror().check();
        await node.mirror().restore();
        expect(node.bytes).toEqual(content);
        expect(node.names).toEqual(['daemon.json']);
        // A dockerd that could not read the file at its start has been told of it since.
        expect(node.dockerd.inForce).toEqual(mark ? inForceWithout(text) : before);
      }),
      { numRuns: 40 },
    );
  } finally {
    node.remove();
  }
});

test('edits of others between the steps stay, and only ours goes', async () => {
  const node = new PretendedNode();
  try {
    await fc.assert(
      fc.asyncProperty(
        documents,
        fc.integer({ min: 1, max: 2 }),
        fc.boolean(),
        async ({ text, others }, edits, twice) => {
          await node.give(text);
          const before = mirrorsOf(text);
          await node.mirror().apply();
          for (let edit = 0; edit < edits; edit += 1) {
            // By then there is always a member before it: ours.
            const patched = node.text ?? '';
            const end = patched.lastIndexOf('}');
            node.write(`${patched.slice(0, end)}, "edit ${edit}" :${edit}${patched.slice(end)}`);
            if (twice) await node.mirror().apply();
          }
          await node.mirror().restore();
          const back = node.text ?? '';
          const added = Array.from({ length: edits }, (_, edit) => [`"edit ${edit}"`, String(edit)]);
          expect(othersOf(back)).toEqual([...others, ...added]);
          // A mirror that was the operator's stays, though it may have been moved to the front.
          expect(mirrorsOf(back).filter((mirror) => !isOurs(mirror))).toEqual(
            before.filter((mirror) => !isOurs(mirror)),
          );
          expect(mirrorsOf(back).some(isOurs)).toBe(before.some(isOurs));
          expect(node.names).toEqual(['daemon.json']);
        },
      ),
      { numRuns: 30 },
    );
  } finally {
    node.remove();
  }
});
