import fc from 'fast-check';
import { answerPeerFile, framedLength, framedParts, parseRange } from '@cdk8s-dragonfly/protocol';
import { headerOf, recordedExchanges } from './classic-recordings';

const MIB4 = 4_194_304;
const recorded = recordedExchanges();

describe('recorded pieces of the download port', () => {
  const fetched = recorded.filter(
    (exchange) =>
      exchange.role === 'supernode-download' &&
      exchange.response?.status === 206 &&
      headerOf(exchange, 'range') !== undefined,
  );

  it('have the lengths and frames that this project would send', () => {
    expect(fetched.length).toBeGreaterThan(80);
    for (const exchange of fetched) {
      const length = Number(exchange.response?.body?.length);
      const range = headerOf(exchange, 'range');
      const pieceNum = Number(headerOf(exchange, 'piecenum'));
      // As if the file ended with this piece: a full piece looks the same in the middle.
      const size = pieceNum * (MIB4 - 5) + length - 5;
      const outcome = parseRange(range, framedLength(size, MIB4));
      if (outcome.kind !== 'part') throw new Error(`${String(range)} is no part`);
      const parts = framedParts({ pieceSize: MIB4, length: size }, outcome.from, outcome.end);
      const bytes = parts.reduce((sum, p) => sum + (p.kind === 'framing' ? p.bytes.length : p.end - p.from), 0);
      const [head] = parts;
      expect(bytes).toBe(length);
      expect(head?.kind === 'framing' ? head.bytes.toString('hex') : '').toContain(
        exchange.response?.body?.first8?.slice(0, 8),
      );
    }
  });
});

describe('a peer server', () => {
  const SIZE = 8_388_598;

  it('answers the recorded probes as the original does', () => {
    const probes = recorded.filter(
      (exchange) =>
        exchange.file === '11' &&
        exchange.request.path.startsWith('/peer/file/a.bin') &&
        headerOf(exchange, 'range') !== 'bytes=12582912-16777215' &&
        (headerOf(exchange, 'range') === undefined || headerOf(exchange, 'piecenum') !== undefined),
    );
    expect(probes).toHaveLength(10);
    for (const exchange of probes) {
      const range = headerOf(exchange, 'range');
      const [pieceNum, pieceSize] = [headerOf(exchange, 'piecenum'), headerOf(exchange, 'piecesize')];
      const answer = answerPeerFile({ range, pieceNum, pieceSize }, { size: SIZE, pieceSize: undefined });
      expect([range, answer.status]).toEqual([range, exchange.response?.status]);
      if (answer.status !== 206) continue;
      const body = exchange.response?.body;
      expect([range, answer.framedLength]).toEqual([range, body?.length]);
      expect([range, answer.header.toString('hex')]).toEqual([range, body?.first8?.slice(0, 8)]);
    }
  });

  it('clips the last piece, which Go clients ask for with its full range', () => {
    const request = { range: 'bytes=25165824-29360127', pieceNum: '6', pieceSize: '4194304' };
    expect(answerPeerFile(request, { size: 26_214_400, pieceSize: undefined })).toEqual({
      status: 206,
      framedLength: 1_048_611,
      header: Buffer.from('0410001e', 'hex'),
      from: 25_165_794,
      end: 26_214_400,
    });
  });

  it('derives piece headers that are missing when it knows the piece size', () => {
    const file = { size: 26_214_400, pieceSize: MIB4 };
    expect(answerPeerFile({ range: 'bytes=4194304-8388607' }, file)).toMatchObject({ status: 206, from: 4_194_299 });
    expect(answerPeerFile({ range: 'bytes=4194304-8388607' }, { ...file, pieceSize: undefined })).toEqual({
      status: 400,
      message: 'The header pieceSize has to be a whole number of MiB from 1 to 15, in bytes.',
    });
  });

  it('refuses a start behind the end of the file, where the original sends nonsense', () => {
    const request = { range: 'bytes=12582912-16777215', pieceNum: '3', pieceSize: '4194304' };
    expect(answerPeerFile(request, { size: SIZE, pieceSize: undefined })).toEqual({
      status: 416,
      message: 'range not satisfiable',
    });
  });

  it('never throws and never reads outside of the file', () => {
    const number = fc.oneof(
      fc.nat(),
      fc.nat({ max: 30 }).map((n) => n * MIB4),
      fc.maxSafeNat(),
    );
    const text = fc.option(fc.oneof(number.map(String), fc.string()), { nil: undefined });
    const range = fc.oneof(
      fc.tuple(number, number).map(([a, b]) => `bytes=${a}-${b}`),
      fc.string(),
    );
    fc.assert(
      fc.property(range, text, text, fc.nat(), (given, pieceNum, pieceSize, size) => {
        const answer = answerPeerFile({ range: given, pieceNum, pieceSize }, { size, pieceSize: MIB4 });
        if (answer.status !== 206) return;
        expect(answer.from).toBeLessThanOrEqual(answer.end);
        expect(answer.end).toBeLessThanOrEqual(size);
        expect(answer.header.readUInt32BE() % 2 ** 24).toBe(answer.end - answer.from);
      }),
      { numRuns: 500 },
    );
  });
});
