import { randomBytes } from 'node:crypto';

import * as fc from 'fast-check';

import { Withheld } from '../src/download/withheld';

describe('bytes that are held back', () => {
  it('leave in order, the last ones only when they are asked for, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 30 }), fc.nat(500), (lengths, limit) => {
        const chunks = lengths.map((length) => randomBytes(length));
        const whole = Buffer.concat(chunks);
        const withheld = new Withheld(limit);
        const left: Buffer[] = [];
        let came = 0;
        for (const chunk of chunks) {
          left.push(...withheld.push(chunk));
          came += chunk.length;
          expect(Buffer.concat(left)).toHaveLength(Math.max(0, came - limit));
        }
        left.push(...withheld.rest());
        expect(Buffer.concat(left).equals(whole)).toBe(true);
        expect([...withheld.rest()]).toEqual([]);
      }),
    );
  });
});
