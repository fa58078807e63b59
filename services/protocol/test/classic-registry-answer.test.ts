import fc from 'fast-check';
import { RESULT_CODE, failureAnswer, parseRegistryAnswer, registeredAnswer } from '@cdk8s-dragonfly/protocol';

const HEX = 'ab'.repeat(32);

describe('an answer to a registration', () => {
  const registration = { taskId: HEX, length: 10, pieceSize: 4_194_304 };

  it('arrives as it was written, with and without a length', () => {
    const body = JSON.stringify(registeredAnswer(registration));
    expect(body).toBe(`{"code":200,"msg":"success","data":{"taskId":"${HEX}","fileLength":10,"pieceSize":4194304}}`);
    expect(parseRegistryAnswer(200, body)).toEqual({ kind: 'registered', registration, native: undefined });
    const unknown = { ...registration, length: undefined };
    const answer = registeredAnswer(unknown, { version: 1 });
    expect(answer).toMatchObject({ data: { fileLength: -1 }, native: { version: 1 } });
    expect(parseRegistryAnswer(200, JSON.stringify(answer))).toEqual({
      kind: 'registered',
      registration: unknown,
      native: { version: 1 },
    });
  });

  it('may be a refusal', () => {
    const answer = failureAnswer(RESULT_CODE.urlNotReachable, 'no', { version: 1 });
    expect(parseRegistryAnswer(200, JSON.stringify(answer))).toEqual({
      kind: 'refused',
      code: 607,
      msg: 'no',
      native: { version: 1 },
    });
  });

  it('of the Go supernode hides code and message in a text that is no JSON', () => {
    const message = '{"Code":501,"Msg":"peer IP: : {"Code":2,"Msg":"invalid value"}"}';
    expect(parseRegistryAnswer(500, JSON.stringify({ message }))).toEqual({
      kind: 'refused',
      code: 501,
      msg: 'peer IP: : {"Code":2,"Msg":"invalid value"}',
      native: undefined,
    });
  });

  it.each([
    [200, '', 'The supernode answered 200 without a document that has a whole number as code.'],
    [200, '{"code":"200"}', 'The supernode answered 200 without a document that has a whole number as code.'],
    [502, '<html>', 'The supernode answered with HTTP status 502 instead of 200.'],
    [500, '{"message":"x"}', 'The supernode answered with HTTP status 500 instead of 200.'],
    [
      200,
      '{"code":200}',
      'The supernode took the registration, but its data has no usable taskId, fileLength and pieceSize.',
    ],
    [
      200,
      `{"code":200,"data":{"taskId":"${HEX}","fileLength":1,"pieceSize":5}}`,
      'The supernode took the registration, but its data has no usable taskId, fileLength and pieceSize.',
    ],
  ])('%d %j is unusable', (status, body, fault) => {
    expect(parseRegistryAnswer(status, body)).toEqual({ kind: 'unusable', fault });
  });

  it('never throws', () => {
    const data = fc.record({ code: fc.constantFrom(200, 608, 7.5), data: fc.jsonValue(), message: fc.string() });
    const body = fc.oneof(
      data.map((document) => JSON.stringify(document)),
      fc.json(),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.constantFrom(200, 404, 500), body, (status, text) => {
        expect(['registered', 'refused', 'unusable']).toContain(parseRegistryAnswer(status, text).kind);
      }),
    );
  });
});
