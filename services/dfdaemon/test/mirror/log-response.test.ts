import { responseLogger } from '../../src/mirror/log-response';
import type { ResponseRecord } from '../../src/mirror/response-record';
import { MANIFEST } from '../support/response-record';

test.each<[Partial<ResponseRecord>, string]>([
  [{}, 'debug request'],
  [{ manifest: 'kept' }, 'debug request'],
  [{ manifest: 'stale' }, 'warn the registry cannot be asked: its manifest is what was last seen'],
  [{ error: 'it broke' }, 'warn request'],
  [{ kind: 'blob', manifest: undefined }, 'info blob'],
  [{ kind: 'blob', manifest: undefined, method: 'HEAD' }, 'debug request'],
  [{ kind: 'blob', manifest: undefined, error: 'it broke' }, 'warn blob'],
])('the answer %j is one line: %s', (change, line) => {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (_fields: object, message: string): void =>
      void lines.push(`${level} ${message}`);
  responseLogger({ warn: at('warn'), info: at('info'), debug: at('debug') } as Parameters<typeof responseLogger>[0])({
    ...MANIFEST,
    ...change,
  });
  expect(lines).toEqual([line]);
});
