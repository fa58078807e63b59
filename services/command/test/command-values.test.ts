import type { CommandSpec, DFDAEMON, DFGET, NODE_MIRROR } from '@cdk8s-dragonfly/contract';
import { parseCommand, type Address, type CommandValues } from '../src';
import { EXAMPLE, FREE, MODAL } from './example-spec';

/** Each within the other; the tuples keep unions whole. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;

/** Compiles only when the types are the same; `npm run typecheck` checks it. */
function same<A, B>(proof: Same<A, B>): boolean {
  return proof;
}

type Example = CommandValues<typeof EXAMPLE>;

describe('the types of values', () => {
  test('come from the contract', () => {
    const proofs = [
      same<Example['config'], string>(true),
      same<Example['registry'], URL>(true),
      same<Example['node'], readonly Address[]>(true),
      same<Example['header'], readonly string[]>(true),
      same<Example['output'], string | undefined>(true),
      same<Example['retries'], number | undefined>(true),
      same<Example['quota'], number>(true),
      same<Example['listen'], Address>(true),
      same<Example['verbose'], boolean>(true),
      same<Example['level'], 'error' | 'warn' | 'info'>(true),
      same<CommandValues<typeof MODAL>['argument'], 'apply' | 'plan' | 'check'>(true),
      same<CommandValues<typeof FREE>['argument'], string>(true),
      same<CommandValues<typeof DFDAEMON>['advertiseIp'], string | undefined>(true),
      same<CommandValues<typeof DFDAEMON>['registry'], readonly string[]>(true),
      same<CommandValues<typeof DFGET>['url'], URL>(true),
      same<CommandValues<typeof DFGET>['logLevel'], 'error' | 'warn' | 'info' | 'debug'>(true),
      same<CommandValues<typeof NODE_MIRROR>['argument'], 'apply' | 'plan' | 'check' | 'restore' | 'watch'>(true),
    ];
    expect(proofs).toEqual(proofs.map(() => true));
  });

  test('of a specification known only at run time are unions', () => {
    const spec: CommandSpec = MODAL;
    const values = parseCommand(spec, ['plan', '-u', 'http://a/'], { env: {} });
    expect(values['url']).toEqual(new URL('http://a/'));
  });
});
