import fc from 'fast-check';
import {
  continueAnswer,
  failureAnswer,
  finishAnswer,
  parsePeerTaskAnswer,
  superFailAnswer,
  supernodeCid,
  unknownTaskAnswer,
  waitAnswer,
} from '@cdk8s-dragonfly/protocol';
import type { PieceSource } from '@cdk8s-dragonfly/protocol';
import { bodyText, recordedExchanges } from './classic-recordings';

const TASK = 'ab'.repeat(32);
const CDN = supernodeCid('127.0.0.1', TASK);
const MIB4 = 4_194_304;

const recorded = recordedExchanges().filter(({ request }) => request.path === '/peer/task');

describe('recorded answers of /peer/task', () => {
  it('are all read', () => {
    const counts = new Map<string, number>();
    for (const { response } of recorded) {
      if (response === null) continue;
      const answer = parsePeerTaskAnswer(response.status, bodyText(response.body));
      const detail = answer.kind === 'failed' || answer.kind === 'wait' ? ` ${answer.code}` : '';
      counts.set(
        `${response.status} ${answer.kind}${detail}`,
        (counts.get(`${response.status} ${answer.kind}${detail}`) ?? 0) + 1,
      );
    }
    expect(Object.fromEntries(counts)).toEqual({
      '200 continue': 168,
      '200 failed 500': 16,
      '200 failed 501': 3,
      '200 failed 502': 2,
      '200 failed 604': 3,
      '200 failed 610': 5,
      '200 finish': 67,
      '200 wait 200': 3,
      '200 wait 602': 49,
      '200 wait 603': 6,
      '500 failed 502': 1,
      '500 unusable': 3,
    });
  });

  it('of the Java style are those that this project writes', () => {
    let compared = 0;
    for (const { response } of recorded) {
      const document = response?.body?.json as { code: number; data?: unknown[] } | undefined;
      const answer = parsePeerTaskAnswer(response?.status ?? 0, bodyText(response?.body));
      if (answer.kind !== 'continue' || answer.sources.length === 0 || answer.sources[0]?.pieceMd5 === '') continue;
      expect(JSON.parse(JSON.stringify(continueAnswer(answer.sources)))).toEqual(document);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(50);
  });
});

describe('an answer of /peer/task', () => {
  const source: PieceSource = {
    pieceNum: 1,
    pieceSize: MIB4,
    pieceMd5: 'a0dd208c862e2ff7b60efc8554535cab:4194304',
    cid: CDN,
    peerIp: '127.0.0.1',
    peerPort: 8001,
    path: `/qtdown/aba/${TASK}`,
    downLink: 20_480,
  };

  it('lists one to four whole pieces', () => {
    expect(continueAnswer([source])).toEqual({ code: 601, data: [{ range: '4194304-8388607', ...source }] });
    expect(() => continueAnswer([])).toThrow(
      'A 601 answer lists 1 to 4 pieces, not 0: answer 602 instead of an empty list.',
    );
    expect(() => continueAnswer(Array.from({ length: 5 }, () => source))).toThrow('not 5');
    for (const fault of [
      { pieceMd5: '' },
      { pieceMd5: 'a0dd208c862e2ff7b60efc8554535cab' },
      { downLink: 0 },
      { peerPort: 0 },
    ]) {
      expect(() => continueAnswer([{ ...source, ...fault }])).toThrow('Piece 1 cannot be offered');
    }
  });

  it('tells the framed length and an MD5 at the end', () => {
    const answer = finishAnswer({ length: 26_214_400, pieceSize: MIB4, md5: '' });
    expect(answer).toEqual({ code: 600, data: { md5: '', fileLength: 26_214_435 } });
    expect(parsePeerTaskAnswer(200, JSON.stringify(answer))).toEqual({
      kind: 'finish',
      md5: undefined,
      framedLength: 26_214_435,
    });
    expect(parsePeerTaskAnswer(200, '{"code":600}')).toEqual({
      kind: 'finish',
      md5: undefined,
      framedLength: undefined,
    });
  });

  it('says wait, failed or unknown by its code', () => {
    expect(parsePeerTaskAnswer(200, JSON.stringify(waitAnswer()))).toEqual({ kind: 'wait', code: 602 });
    expect(parsePeerTaskAnswer(200, JSON.stringify(superFailAnswer('origin gone')))).toEqual({
      kind: 'failed',
      code: 604,
      msg: 'origin gone',
    });
    expect(unknownTaskAnswer().code).toBe(605);
    expect(parsePeerTaskAnswer(200, JSON.stringify(failureAnswer(501, 'x')))).toEqual({
      kind: 'failed',
      code: 501,
      msg: 'x',
    });
  });

  it('may be a 601 without data, MD5 and rate', () => {
    expect(parsePeerTaskAnswer(200, '{"code":601,"msg":"4 running"}')).toEqual({ kind: 'continue', sources: [] });
    const item = { ...source, range: '4194304-8388607', pieceMd5: undefined, downLink: undefined };
    const body = JSON.stringify({ code: 601, data: [item] });
    expect(parsePeerTaskAnswer(200, body)).toEqual({
      kind: 'continue',
      sources: [{ ...source, pieceMd5: '', downLink: 0 }],
    });
  });

  it.each([
    [200, '{"code":601,"data":[{"range":"x"}]}', 'The supernode answered 601 with a malformed list of pieces.'],
    [200, '{"code":601,"data":7}', 'The supernode answered 601 with a malformed list of pieces.'],
    [200, '{"code":600,"data":7}', 'The supernode answered 600 with malformed data.'],
    [503, 'busy', 'The supernode answered with HTTP status 503 instead of 200.'],
  ])('%d %s is unusable', (status, body, fault) => {
    expect(parsePeerTaskAnswer(status, body)).toEqual({ kind: 'unusable', fault });
  });

  it('is read without throwing, whatever it is', () => {
    const item = fc.record({
      ...Object.fromEntries(Object.keys(source).map((key) => [key, fc.jsonValue()])),
      range: fc.string(),
    });
    const body = fc
      .record({ code: fc.constantFrom(600, 601, 602, 604), data: fc.oneof(fc.jsonValue(), fc.array(item)) })
      .map((document) => JSON.stringify(document));
    fc.assert(
      fc.property(fc.constantFrom(200, 500), fc.oneof(body, fc.json(), fc.string()), (status, text) => {
        expect(['finish', 'continue', 'wait', 'failed', 'unusable']).toContain(parsePeerTaskAnswer(status, text).kind);
      }),
    );
  });
});
