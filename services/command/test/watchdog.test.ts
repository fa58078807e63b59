import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Watchdog } from '@cdk8s-dragonfly/command';

/** Runs `script` in a process with a watchdog of 400 ms; `script` sees `watchdog`. */
async function run(script: string): Promise<{ code: number | null; signal: string | null; err: string }> {
  const module = join(__dirname, '../lib/watchdog.js');
  const program = `require(${JSON.stringify(module)}).Watchdog.start('test', 400).then(async (watchdog) => { ${script} });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code, signal] = (await once(child, 'close', { signal: AbortSignal.timeout(15_000) })) as [
    number | null,
    string | null,
  ];
  return { code, signal, err };
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

describe('the watchdog', () => {
  it('ends a process whose event loop stands still, and says so', async () => {
    const { code, signal, err } = await run('for (;;);');
    expect([code, signal]).toEqual([null, 'SIGKILL']);
    expect(JSON.parse(err)).toMatchObject({
      level: 'error',
      name: 'test',
      msg: expect.stringMatching(/^the event loop stood still for \d+ ms; the process is ended$/) as string,
    });
  });

  it('leaves a process alone that works in shorter turns, and keeps none alive', async () => {
    const turns = `
      const end = Date.now() + 1200;
      const turn = () => { const stop = Date.now() + 100; while (Date.now() < stop); if (Date.now() < end) setImmediate(turn); };
      turn();`;
    expect(await run(turns)).toEqual({ code: 0, signal: null, err: '' });
  });

  it('bites no more once it has stopped', async () => {
    const stopped = 'await watchdog.stop(); const end = Date.now() + 1200; while (Date.now() < end);';
    expect(await run(stopped)).toEqual({ code: 0, signal: null, err: '' });
  });

  it('answers questions while the event loop stands still, and says for how long it does', async () => {
    const port = await freeUdpPort();
    const pulse = `{ host: '127.0.0.1', port: ${port}, magic: 'hello', length: 8, failed: (why) => console.error(why) }`;
    const module = JSON.stringify(join(__dirname, '../lib/watchdog.js'));
    const hang = 'process.stderr.write("up\\n"); for (;;);';
    const program = `require(${module}).Watchdog.start('test', 8000, ${pulse}).then(() => setTimeout(() => { ${hang} }, 200));`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'pipe'] });
    const asker = createSocket('udp4');
    try {
      await once(child.stderr, 'data');
      const asking = setInterval(() => {
        for (const question of ['hello', 'nobody12', 'hello123']) asker.send(question, port, '127.0.0.1');
      }, 50);
      const answers: Buffer[] = [];
      asker.on('message', (answer: Buffer) => answers.push(answer));
      while ((answers.at(-1)?.readUInt32BE(8) ?? 0) < 1000) {
        await once(asker, 'message', { signal: AbortSignal.timeout(15_000) });
      }
      clearInterval(asking);
      expect(new Set(answers.map((answer) => answer.toString('latin1', 0, 8)))).toEqual(new Set(['hello123']));
      expect(new Set(answers.map(({ length }) => length))).toEqual(new Set([12]));
    } finally {
      asker.close();
      child.kill('SIGKILL');
    }
  });

  it.each([
    ['at all addresses of both families', '', ['127.0.0.1', '::1']],
    [
      'at those of IPv4 where there is no IPv6',
      `const dgram = require('node:dgram');
      const { createSocket } = dgram;
      dgram.createSocket = (options) => {
        const socket = createSocket(options);
        const error = Object.assign(new Error('bind EAFNOSUPPORT ::'), { code: 'EAFNOSUPPORT' });
        if (options.type === 'udp6') socket.bind = () => setImmediate(() => socket.emit('error', error));
        return socket;
      };`,
      ['127.0.0.1'],
    ],
  ])('answers %s', async (_where, without, addresses) => {
    const port = await freeUdpPort();
    const pulse = `{ host: '::', port: ${port}, magic: 'hello', length: 8, failed: (why) => console.error(why) }`;
    const module = JSON.stringify(join(__dirname, '../lib/watchdog.js'));
    const home = await mkdtemp(join(tmpdir(), 'watchdog-'));
    await writeFile(join(home, 'without.js'), without);
    const program = `require(${module}).Watchdog.start('test', 8000, ${pulse}).then(() => setInterval(() => {}, 1000));`;
    const child = spawn(process.execPath, ['-r', join(home, 'without.js'), '-e', program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    try {
      for (const address of addresses) {
        const asker = createSocket(address.includes(':') ? 'udp6' : 'udp4');
        const asking = setInterval(() => asker.send('hello123', port, address), 20);
        try {
          const [text, from] = (await once(asker, 'message', { signal: AbortSignal.timeout(15_000) })) as [
            Buffer,
            RemoteInfo,
          ];
          expect([text.toString('latin1', 0, 8), from.address]).toEqual(['hello123', address]);
        } finally {
          clearInterval(asking);
          asker.close();
        }
      }
      expect(said).toEqual([]);
    } finally {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await rm(home, { recursive: true });
    }
  });

  it('answers on after questions that nobody can be answered', async () => {
    // Only root can send a datagram from port 0, or in the name of all: here the thread is told that it came from there.
    const forge = `
      const dgram = require('node:dgram');
      const { createSocket } = dgram;
      dgram.createSocket = (...options) => {
        const socket = createSocket(...options);
        const { emit } = socket;
        socket.emit = (name, message, from) => {
          const forged = { 'hello-p0': { port: 0 }, 'hello-bc': { address: '255.255.255.255' } }[message];
          return emit.call(socket, name, message, forged === undefined ? from : { ...from, ...forged });
        };
        return socket;
      };`;
    const port = await freeUdpPort();
    const pulse = `{ host: '127.0.0.1', port: ${port}, magic: 'hello', length: 8, failed: (why) => console.error(why) }`;
    const module = JSON.stringify(join(__dirname, '../lib/watchdog.js'));
    const home = await mkdtemp(join(tmpdir(), 'watchdog-'));
    await writeFile(join(home, 'forge.js'), forge);
    const program = `require(${module}).Watchdog.start('test', 8000, ${pulse}).then(() => setInterval(() => {}, 1000));`;
    const child = spawn(process.execPath, ['-r', join(home, 'forge.js'), '-e', program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const exited = once(child, 'exit').then(([code]) => `it ended with ${String(code)}: ${said.join('')}`);
    const asker = createSocket('udp4');
    let asking: NodeJS.Timeout | undefined;
    try {
      let questions = ['hello-up'];
      asking = setInterval(() => {
        for (const question of questions) asker.send(question, port, '127.0.0.1');
      }, 20);
      const answer = async (): Promise<string> => {
        const [text] = (await once(asker, 'message', { signal: AbortSignal.timeout(15_000) })) as [Buffer];
        return text.toString('latin1', 0, 8);
      };
      expect(await Promise.race([answer(), exited])).toBe('hello-up');
      questions = ['hello-p0', 'hello-bc', 'hello-on', 'hello-bc', 'hello-p0', 'hello-en'];
      for (let last = ''; last !== 'hello-en';) {
        last = await Promise.race([answer(), exited]);
        expect(last).toMatch(/^hello-(up|on|en)$/);
      }
      expect(said).toEqual([]);
    } finally {
      clearInterval(asking);
      asker.close();
      child.kill('SIGKILL');
      await exited;
      await rm(home, { recursive: true });
    }
  });

  it('can be started and stopped in this process', async () => {
    const watchdog = await Watchdog.start('test');
    await expect(watchdog.stop()).resolves.toBeUndefined();
  });
});
