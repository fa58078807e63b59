'use strict';

// Stands for a daemon: listens where --listen says, is ready after --delay ms, ends with a message when --fail is given.
const { createServer } = require('node:http');
const flags = new Map(process.argv.slice(2).map((argument) => argument.replace(/^--/, '').split('=')));

if (flags.has('fail')) {
  process.stderr.write('dfdaemon: the mirror cannot listen on 127.0.0.1:1: the port is in use\n');
  process.exit(1);
}
const readyAt = Date.now() + Number(flags.get('delay') ?? 0);
createServer((request, response) => {
  if (request.url === '/env') response.end(JSON.stringify({ env: process.env, cwd: process.cwd() }));
  else response.writeHead(Date.now() < readyAt ? 503 : 200).end();
}).listen(Number(flags.get('listen')), '127.0.0.1');
