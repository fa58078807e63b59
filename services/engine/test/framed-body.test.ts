import * as fc from 'fast-check';

import { FramedBody } from '../src/links/framed-body';
import { readStreamHead } from '../src/links/response-head';
import type { Framing } from '../src/links/response-head';

/** What comes out when bytes come in parts of these sizes, and the rest at once. */
function taken(framing: Framing, bytes: Buffer, sizes: readonly number[] = []): { text: string; whole: boolean } {
  const body = new FramedBody(framing, 'there');
  let [text, from] = ['', 0];
  for (const size of [...sizes, bytes.length]) {
    const length = Math.min(size, bytes.length - from);
    // What is behind the length was there before.
    const read = Buffer.concat([bytes.subarray(from, from + length), Buffer.from('old\n\r\n')]);
    body.take(read, length, (part, start, end) => (text += part.toString('latin1', start, end)));
    from += length;
  }
  return { text, whole: body.whole };
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }));
const parts = fc.array(fc.string({ minLength: 1, unit: 'binary-ascii', maxLength: 40 }));

test('a body in chunks comes out as it went in, however its bytes are cut', () => {
  fc.assert(
    fc.property(parts, sizes, fc.constantFrom('', ';a=b', ' ; x'), (texts, cuts, extension) => {
      const chunks = texts.map((text) => `${text.length.toString(16)}${extension}\r\n${text}\r\n`).join('');
      const all = texts.join('');
      expect(taken('chunked', Buffer.from(chunks, 'latin1'), cuts)).toEqual({ text: all, whole: false });
      const ended = Buffer.from(`${chunks}0\r\nx-more: 1\r\n\r\nHTTP/1.1`, 'latin1');
      expect(taken('chunked', ended, cuts)).toEqual({ text: all, whole: true });
    }),
  );
});

test('a body of a known length is whole with its last byte, and one without never is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 40 }), sizes, (text, cuts) => {
      const bytes = Buffer.from(`${text}behind`, 'latin1');
      expect(taken(text.length, bytes, cuts)).toEqual({ text, whole: true });
      expect(taken(text.length + 7, bytes, cuts)).toEqual({ text: `${text}behind`, whole: false });
      expect(taken('close', bytes, cuts)).toEqual({ text: `${text}behind`, whole: false });
    }),
  );
});

test.each([
  ['is no number', 'x\r\nabc', 'a chunk does not say how long it is: "x\\r"'],
  ['is negative', '-1\r\n', 'a chunk does not say how long it is: "-1\\r"'],
  ['is longer than any line', '123456789\r\n', 'a chunk does not say how long it is: "123456789\\r"'],
  ['ends in a bare newline', '3\nabc\r\n', 'a chunk does not say how long it is: "3"'],
  ['is too small', '3\r\nabcd\r\n', 'a chunk is longer than it says, behind it stands: "d\\r"'],
  ['has no end', `3;${'x'.repeat(300)}`, `what stands around a chunk is longer than 256 bytes: "3;${'x'.repeat(78)}"`],
])('a chunk whose length %s is a lie', (_what, text, message) => {
  const lie = expect.objectContaining({ kind: 'lying', message: `there: ${message}` }) as Error;
  expect(() => taken('chunked', Buffer.from(text))).toThrow(lie);
  expect(() => taken('chunked', Buffer.from(text), Array(400).fill(1) as number[])).toThrow(lie);
});

test('the head of a stream says in one way how its body ends', () => {
  const framingOf = (...lines: string[]): Framing | undefined =>
    readStreamHead(['HTTP/1.1 200 OK', ...lines].join('\r\n'))?.framing;
  expect(framingOf('Date: today')).toBe('close');
  expect(framingOf('Transfer-Encoding: Chunked')).toBe('chunked');
  expect(framingOf('content-length: 12')).toBe(12);
  expect(framingOf('transfer-encoding: chunked', 'content-length: 12')).toBeUndefined();
  expect(framingOf('transfer-encoding: gzip, chunked')).toBeUndefined();
  expect(framingOf('content-length: 1e3')).toBeUndefined();
  expect(framingOf('no colon')).toBeUndefined();
  expect(readStreamHead('220 ready')).toBeUndefined();
});
