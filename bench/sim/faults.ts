import { dropNeighbour } from './asking';
import type { Flying } from './flying';
import type { Flight, Node } from './sim-node';
import type { Supernode } from './supernode';
import type { Swarm } from './swarm';

/** What is done with flights. */
export interface Hands {
  /** Nobody wants it any more. */
  readonly cancel: (flight: Flight) => void;
  /** Whom it was asked of is gone. */
  readonly fail: (flight: Flight) => void;
}

/** A node dies: what it gives and what it takes ends, and its neighbours have it no more. */
export function die(node: Node, flying: Flying, { cancel, fail }: Hands): void {
  node.alive = false;
  for (const flight of node.serving.turns) fail(flight);
  for (const pull of node.pulls) {
    for (const flight of [...pull.flights]) cancel(flight);
    for (const watcher of [...pull.watchers]) {
      const source = watcher.sources.find(({ peer }) => peer === pull);
      if (source !== undefined) dropNeighbour(watcher, source);
    }
    for (const { peer } of pull.sources) peer?.watchers.delete(pull);
  }
  for (const flight of flying.from(node.host)) fail(flight);
}

/** The supernode is gone, with all that it knew and had. */
export function lose(supernode: Supernode, swarms: readonly Swarm[], flying: Flying, { fail }: Hands): void {
  supernode.alive = false;
  for (const flight of supernode.serving.turns) fail(flight);
  for (const flight of flying.from(supernode.host)) fail(flight);
  for (const swarm of swarms) swarm.forget();
}
