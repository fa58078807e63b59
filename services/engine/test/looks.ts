import { SupernodeSource } from '../src/download/supernode-source';

/** What the tests of a chooser see of it, anew for each test: time stands still. */
export interface Looks {
  /** How often it was looked what may be asked for. */
  looks: jest.SpyInstance;
  /** What time it is since the beginning, in milliseconds. */
  later: number;
}

/** To be called once in a suite. */
export function useLooks(): Looks {
  const seen = { later: 0 } as Looks;
  beforeEach(() => {
    seen.looks = jest.spyOn(SupernodeSource.prototype, 'overdue');
    seen.later = 0;
    // A whole number, as with a fraction a second later may be less than a second more.
    const began = Math.ceil(performance.now());
    jest.spyOn(performance, 'now').mockImplementation(() => began + seen.later);
  });
  afterEach(() => jest.restoreAllMocks());
  return seen;
}
