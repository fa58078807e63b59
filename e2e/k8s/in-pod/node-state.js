'use strict';

// Prints, as one line of JSON, what of a node a node-mirror or a df-daemon may touch: files with the hash of their bytes, mode and
// owner. With folders as arguments these are made first (make) or removed (remove).
const { createHash } = require('node:crypto');
const { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync } = require('node:fs');

const ROOT = '/host';
const WATCHED = ['/etc/docker', '/etc/containerd', '/etc/containers', '/etc/crio', '/data', '/var/lib/dragonfly-test'];
const state = {};

function look(path) {
  const stat = lstatSync(ROOT + path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const what = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
  if (stat.isDirectory()) {
    state[path] = `folder ${what}`;
    for (const name of readdirSync(ROOT + path)) look(`${path}/${name}`);
  } else if (stat.isSymbolicLink()) {
    state[path] = `link ${readlinkSync(ROOT + path)}`;
  } else if (stat.isFile()) {
    state[path] = `file ${what} ${createHash('sha256')
      .update(readFileSync(ROOT + path))
      .digest('hex')}`;
  }
}

const [order, ...folders] = process.argv.slice(2);
for (const folder of folders) {
  if (order === 'make') mkdirSync(ROOT + folder, { recursive: true });
  if (order === 'remove' && existsSync(ROOT + folder)) rmSync(ROOT + folder, { recursive: true });
}
WATCHED.forEach(look);
console.log(JSON.stringify(state));
