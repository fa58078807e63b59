import { World } from './world';

/** Declares a test whose part of the scenario is explained when it fails. */
export type Scenario = (name: string, part: () => Promise<void>) => void;

/**
 * One world for all tests of a `describe`: made and built before the first, stopped after the last.
 *
 * @param limitMs what building, stopping, and each scenario may take
 * @param build starts what all of them need
 */
export function inWorld(limitMs: number, build: (world: World) => Promise<void>): Scenario {
  let world: World;
  beforeAll(async () => {
    world = await World.create();
    await world.explain(() => build(world));
  }, limitMs);
  afterAll(async () => {
    await world.stop();
  }, limitMs);
  return (name, part) => {
    test(name, () => world.explain(part), limitMs);
  };
}
