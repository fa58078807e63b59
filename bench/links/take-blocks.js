'use strict';

/**
 * A neighbour that takes blocks of a blob from a df-daemon, over and over, as fast as they come, and lets the bytes go: `take-blocks.js HOST PORT
 * BLOB LENGTH CONNECTIONS`. Plain JavaScript, and little of it: its own CPU is taken from what is measured.
 */
const { Agent, get } = require('node:http');
const { setTimeout } = require('node:timers');

const { Grid, blockPath, pieceSizeOf } = require('@cdk8s-dragonfly/protocol');

const [host, port, blob, length, connections] = process.argv.slice(2);
const grid = new Grid(pieceSizeOf(Number(length)));
const count = grid.blockCount(Number(length));
const agent = new Agent({ keepAlive: true });
let next = 0;

function take() {
  const again = () => setTimeout(take, 50);
  const path = blockPath(blob, next++ % count);
  const request = get({ host, port, path, agent }, (response) => {
    response.resume();
    response.on('error', again);
    // A refusal: others come first.
    response.on('end', response.statusCode === 200 ? take : again);
  });
  request.on('error', again);
}

for (let begun = 0; begun < Number(connections); begun += 1) take();
