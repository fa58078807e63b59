import fc from 'fast-check';
import {
  formatPieceError,
  formatPieceSuccess,
  formatServiceDown,
  parsePieceError,
  parsePieceSuccess,
  parseReportAnswer,
  parseServiceDown,
} from '@cdk8s-dragonfly/protocol';
import { bodyText, recordedExchanges } from './classic-recordings';

const MIB4 = 4_194_304;
const TASK = 'ab'.repeat(32);
const recorded = recordedExchanges();
const to = (path: string) => recorded.filter(({ request }) => request.path === path);

describe('recorded reports', () => {
  it('of pieces on disk are all read, but for one probe with a malformed range', () => {
    const reports = to('/peer/piece/suc').filter(({ request }) => !request.query.endsWith('&pieceRange=x'));
    expect(reports).toHaveLength(143);
    for (const { request } of reports) {
      const sent = new URLSearchParams(request.query);
      const dstCid = sent.get('dstCid');
      expect(parsePieceSuccess(request.query)).toEqual({
        ok: true,
        value: {
          taskId: sent.get('taskId'),
          cid: sent.get('cid'),
          dstCid: dstCid === '' ? undefined : dstCid,
          pieceNum: Number(sent.get('pieceRange')?.split('-')[0]) / MIB4,
          pieceSize: MIB4,
        },
      });
    }
  });

  it('of errors are all read', () => {
    const reports = to('/peer/piece/error');
    expect(reports).toHaveLength(18);
    for (const { request } of reports) {
      expect(parsePieceError(request.query)).toMatchObject({
        ok: true,
        value: {
          errorType: 'FILE_NOT_EXIST',
          dstCid: new URLSearchParams(request.query).get('dstCid'),
          piece: undefined,
        },
      });
    }
  });

  it('of leaving peers are all read', () => {
    const reports = to('/peer/service/down');
    expect(reports).toHaveLength(3);
    for (const { request } of reports) {
      const sent = new URLSearchParams(request.query);
      expect(parseServiceDown(request.query)).toEqual({
        ok: true,
        value: { taskId: sent.get('taskId'), cid: sent.get('cid') },
      });
    }
  });

  it('have answers that tell whether they were taken', () => {
    for (const { request, response } of [...to('/peer/piece/suc'), ...to('/peer/service/down')]) {
      const answer = parseReportAnswer(response?.status ?? 0, bodyText(response?.body));
      expect([request.query, answer.kind]).toEqual([request.query, response?.status === 200 ? 'taken' : 'failed']);
    }
  });
});

describe('a report', () => {
  const cid = '127.0.0.2-1-2.345';
  const dstCid = `cdnnode:127.0.0.1~${TASK}`;

  it('arrives as it was written', () => {
    const success = { taskId: TASK, cid, dstCid, pieceNum: 3, pieceSize: MIB4 };
    expect(parsePieceSuccess(formatPieceSuccess(success))).toEqual({ ok: true, value: success });
    const error = {
      errorType: 'FILE_MD5_NOT_MATCH' as const,
      taskId: TASK,
      srcCid: cid,
      dstCid,
      dstIp: '127.0.0.1',
      piece: { pieceNum: 3, pieceSize: MIB4 },
      realMd5: 'a:5',
      expectedMd5: 'b:5',
    };
    expect(parsePieceError(formatPieceError(error))).toEqual({ ok: true, value: error });
    expect(parseServiceDown(formatServiceDown({ taskId: TASK, cid }))).toEqual({
      ok: true,
      value: { taskId: TASK, cid },
    });
  });

  it('is refused when something is missing or malformed', () => {
    const refusals = [
      parsePieceSuccess(`cid=${cid}&pieceRange=0-4194303`),
      parsePieceSuccess(`cid=${cid}&taskId=t&pieceRange=0-7`),
      parsePieceError(`errorType=X&taskId=t&srcCid=${cid}&dstCid=d`),
      parsePieceError(`errorType=FILE_NOT_EXIST&taskId=t&srcCid=${cid}&dstCid=d&range=7`),
      parseServiceDown('taskId=t'),
    ].map((parsed) => (parsed.ok ? 'taken' : parsed.refusal.msg));
    expect(refusals).toEqual([
      'taskId is empty: it has to be given.',
      'pieceRange has to be that of a full framed piece, n*pieceSize-(n+1)*pieceSize-1; given was "0-7".',
      'errorType has to be FILE_NOT_EXIST or FILE_MD5_NOT_MATCH; given was "X".',
      'range has to be that of a full framed piece, n*pieceSize-(n+1)*pieceSize-1; given was "7".',
      'cid is empty: it has to be given.',
    ]);
  });

  it('never makes a parser throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const query = `taskId=t&cid=c&srcCid=s&dstCid=d&errorType=FILE_NOT_EXIST&${text}`;
        for (const parse of [parsePieceSuccess, parsePieceError, parseServiceDown]) {
          for (const given of [query, text, `${query}&range=${text}`]) expect(typeof parse(given).ok).toBe('boolean');
        }
      }),
    );
  });

  it.each([
    [200, '', { kind: 'taken' }],
    [200, '{"code":200}', { kind: 'taken' }],
    [200, '{"code":611}', { kind: 'taken' }],
    [200, '{"code":612}', { kind: 'taken' }],
    [200, '{"code":501,"msg":"x"}', { kind: 'failed', code: 501, msg: 'x' }],
    [404, '', { kind: 'failed', code: undefined, msg: 'The supernode answered with HTTP status 404 instead of 200.' }],
  ])('answered with %d %j is read', (status, body, answer) => {
    expect(parseReportAnswer(status, body)).toEqual(answer);
  });
});
