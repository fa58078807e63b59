import fc from 'fast-check';

import { lastValues, parseFields } from '../src/classic/query';

const NAMES = ['srcCid', 'taskId', 'range'] as const;

/** What a query is made of, so that names come in every shape. */
const part = fc.constantFrom(
  ...['srcCid', 'SRCCID', 'taskId', 'task%49d', 'range', 'ranges', 'other'],
  ...['=', '&', '%', '%41', '+', 'value', '日本', '=='],
);
const query = fc.array(part, { maxLength: 20 }).map((parts) => parts.join(''));

describe('the last values of fields', () => {
  it.each([
    ['srcCid=a&taskId=b&range=0-1', ['a', 'b', '0-1']],
    ['TASKID=b&srccid=a&x=y', ['a', 'b', '']],
    ['srcCid=a&srcCid=&taskId', ['', '', '']],
    ['srcCidX=a&taskId=x=y%20z+', ['', 'x=y z+', '']],
    ['', ['', '', '']],
  ])('of %s', (raw, values) => {
    expect(lastValues(raw, NAMES)).toEqual(values);
  });

  it('are those that parsing all fields gives', () => {
    fc.assert(
      fc.property(query, (raw) => {
        const fields = parseFields(raw, 'itself');
        expect(lastValues(raw, NAMES)).toEqual(NAMES.map((name) => fields.get(name.toLowerCase())?.at(-1) ?? ''));
      }),
      { numRuns: 2000 },
    );
  });
});
