import { setTimeout as delay } from 'node:timers/promises';

import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { takeBlocks } from './blocks';
import { pull } from './download';
import type { Cost } from './measured-process';
import type { World } from './world';

/** How long a process may come to rest before its memory counts as that of an idle one, in ms. */
const REST = 2000;

/** What each step took of which process. CPU seconds are those for the bytes of the step. */
export interface Steps {
  /** Bytes of each blob. */
  readonly length: number;
  /** Memory of the daemon before anything was asked, in MiB. */
  readonly idle: number;
  /** The daemon receives, verifies, stores, and serves a runtime; the supernode fetches and serves. */
  readonly cold: { readonly daemon: Cost; readonly supernode: Cost };
  /** The daemon serves a runtime from its store. */
  readonly warm: { readonly daemon: Cost };
  /** The daemon serves one neighbour. */
  readonly upload: { readonly daemon: Cost };
  /** The supernode serves one daemon. */
  readonly serve: { readonly supernode: Cost };
  /** As `cold`, of several blobs at once. */
  readonly together: { readonly blobs: number; readonly daemon: Cost; readonly supernode: Cost };
}

/** Runs the steps, the first blob for all but the last one. */
export async function runSteps({ digests, supernode, daemon, ...ports }: World, length: number): Promise<Steps> {
  const [first = '', ...others] = digests;
  const blob: BlobId = `sha256:${first.slice('sha256:'.length)}`;
  await delay(REST);
  const idle = daemon.memory;

  const cold = { daemon: daemon.measure(), supernode: supernode.measure() };
  await pull(ports.mirror, first);
  // What is left to do behind the last byte belongs to it.
  await delay(REST);
  const coldCost = { daemon: cold.daemon(), supernode: cold.supernode() };

  const warm = daemon.measure();
  await pull(ports.mirror, first);
  const warmCost = { daemon: warm() };

  const upload = daemon.measure();
  await takeBlocks({ port: ports.peers, blob, length, isDaemon: true });
  const uploadCost = { daemon: upload() };

  const serve = supernode.measure();
  await takeBlocks({ port: ports.supernodeBlocks, blob, length, isDaemon: false });
  const serveCost = { supernode: serve() };

  const together = { daemon: daemon.measure(), supernode: supernode.measure() };
  await Promise.all(others.map(async (digest) => pull(ports.mirror, digest)));
  await delay(REST);
  const togetherCost = { blobs: others.length, daemon: together.daemon(), supernode: together.supernode() };
  return {
    length,
    idle,
    cold: coldCost,
    warm: warmCost,
    upload: uploadCost,
    serve: serveCost,
    together: togetherCost,
  };
}
