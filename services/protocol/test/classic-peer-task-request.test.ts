import fc from 'fast-check';
import { formatPeerTaskRequest, parsePeerTaskRequest, supernodeCid } from '@cdk8s-dragonfly/protocol';
import type { PeerTaskRequest } from '@cdk8s-dragonfly/protocol';
import { recordedExchanges } from './classic-recordings';

const TASK = 'ab'.repeat(32);
const SRC = '127.0.0.2-8899-1795406219.563';
const CDN = supernodeCid('127.0.0.1', TASK);
const MIB4 = 4_194_304;

const recorded = recordedExchanges().filter(({ request }) => request.path === '/peer/task');

function understood(query: string): PeerTaskRequest {
  const parsed = parsePeerTaskRequest(query);
  if (!parsed.ok) throw new Error(`${query}: ${parsed.refusal.msg}`);
  return parsed.value;
}

describe('recorded questions to /peer/task', () => {
  it('are all typed; only the probes with a wrong status or result are refused', () => {
    const counts = new Map<string, number>();
    for (const { request } of recorded) {
      const parsed = parsePeerTaskRequest(request.query);
      const key = parsed.ok ? parsed.value.kind : parsed.refusal.msg;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({
      start: 147,
      report: 175,
      finish: 1,
      'status has to be 700, 701 or 702; given was "".': 1,
      'result has to be 500, 501 or 503 with status 701; given was "502".': 1,
      'range has to be that of a full framed piece, n*pieceSize-(n+1)*pieceSize-1; given was "4194303-0".': 1,
    });
  });

  it('keep every value that their client sent', () => {
    for (const { request } of recorded) {
      const parsed = parsePeerTaskRequest(request.query);
      if (!parsed.ok) continue;
      const sent = new URLSearchParams(request.query);
      const { value } = parsed;
      const outcome = value.kind === 'finish' ? undefined : value.outcome;
      expect([value.srcCid, value.taskId, outcome?.dstCid ?? '']).toEqual(
        ['srcCid', 'taskId', 'dstCid'].map((name) => sent.get(name)),
      );
      expect(outcome?.arrived).toBe({ '503': true, '500': false }[sent.get('result') ?? '']);
      expect(outcome?.pieceNum ?? null).toBe(
        sent.get('range') === '' ? null : Number(sent.get('range')?.split('-')[0]) / MIB4,
      );
      // Python tells the number, too.
      const told = sent.get('pieceNum');
      expect(outcome?.pieceNum).toBe(told === null ? outcome?.pieceNum : Number(told));
    }
  });
});

describe('a question to /peer/task', () => {
  it('is understood unescaped, as Go clients write it', () => {
    const query = `srcCid=my host-1-2.3&dstCid=cdnnode:127.0.0.1~${TASK}&range=4194304-8388607&result=503&status=701&taskId=${TASK}`;
    expect(understood(query)).toEqual({
      kind: 'report',
      srcCid: 'my host-1-2.3',
      taskId: TASK,
      outcome: { pieceNum: 1, pieceSize: MIB4, dstCid: CDN, arrived: true },
    });
  });

  it('is understood escaped and in any order, as Python writes it', () => {
    const query = `superNode=127.0.0.1&dstCid=cdnnode%3A127.0.0.1~${TASK}&pieceSize=4194304&srcCid=${SRC}&range=20971520-25165823&status=701&result=500&taskId=${TASK}&pieceNum=5`;
    expect(understood(query)).toEqual({
      kind: 'report',
      srcCid: SRC,
      taskId: TASK,
      outcome: { pieceNum: 5, pieceSize: MIB4, dstCid: CDN, arrived: false },
    });
  });

  it('may be the first, with a report meant for another supernode', () => {
    const start = `srcCid=${SRC}&dstCid=&range=&result=502&status=700&taskId=${TASK}`;
    expect(understood(start)).toEqual({ kind: 'start', srcCid: SRC, taskId: TASK, outcome: undefined });
    const migrated = `srcCid=${SRC}&dstCid=${CDN}&range=0-4194303&result=500&status=700&taskId=${TASK}`;
    expect(understood(migrated)).toEqual({
      kind: 'start',
      srcCid: SRC,
      taskId: TASK,
      outcome: { pieceNum: 0, pieceSize: MIB4, dstCid: CDN, arrived: false },
    });
  });

  it('may report a piece without naming its source', () => {
    const value = understood(`srcCid=${SRC}&dstCid=&range=0-4194303&result=503&status=701&taskId=${TASK}`);
    expect(value).toMatchObject({ kind: 'report', outcome: { dstCid: undefined, arrived: true } });
  });

  it('keeps signs that are no escapes', () => {
    expect(understood(`srcCid=50%+%zz%41%ff&status=700&taskId=t`).srcCid).toBe('50%+%zzA\ufffd');
  });

  it.each([
    [`taskId=${TASK}&status=700`, 'srcCid is empty: send the cid of the registration.'],
    [`srcCid=${SRC}&status=700`, 'taskId is empty: send the one that the registration gave.'],
    [
      `srcCid=${SRC}&taskId=${TASK}&status=702&result=502`,
      'result has to be 500 or 501 with status 702; given was "502".',
    ],
    [`srcCid=${SRC}&taskId=${TASK}&status=7`, 'status has to be 700, 701 or 702; given was "7".'],
  ])('is refused as %s', (query, msg) => {
    expect(parsePeerTaskRequest(query)).toEqual({ ok: false, refusal: { code: 501, msg } });
  });

  it('arrives as it was written', () => {
    const cid = fc.string({ minLength: 1, unit: 'grapheme' });
    const outcome = fc.record({
      pieceNum: fc.nat({ max: 1_000_000 }),
      pieceSize: fc.integer({ min: 1, max: 15 }).map((mib) => mib * 1_048_576),
      dstCid: fc.option(cid, { nil: undefined }),
      arrived: fc.boolean(),
    });
    const base = { srcCid: cid, taskId: fc.constant(TASK) };
    const request: fc.Arbitrary<PeerTaskRequest> = fc.oneof(
      fc.record({ ...base, kind: fc.constant('start' as const), outcome: fc.option(outcome, { nil: undefined }) }),
      fc.record({ ...base, kind: fc.constant('report' as const), outcome }),
      fc.record({ ...base, kind: fc.constant('finish' as const), success: fc.boolean() }),
    );
    fc.assert(fc.property(request, (value) => expect(understood(formatPeerTaskRequest(value))).toEqual(value)));
  });

  it('never throws', () => {
    const name = fc.constantFrom('srcCid', 'taskId', 'status', 'result', 'range', 'dstCid', '%', '__proto__');
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('700', '701', '702', '500', '503', '0-4194303', '9'.repeat(40)),
    );
    const query = fc.array(fc.tuple(name, value)).map((pairs) => pairs.map((pair) => pair.join('=')).join('&'));
    fc.assert(
      fc.property(fc.oneof(query, fc.string({ unit: 'binary' })), (text) => {
        const parsed = parsePeerTaskRequest(text);
        expect(parsed.ok ? parsed.value.srcCid : parsed.refusal.msg).not.toBe('');
      }),
      { numRuns: 500 },
    );
  });
});
