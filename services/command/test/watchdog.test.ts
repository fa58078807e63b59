import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
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
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    await once(socket, 'close');
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

  it('can be started and stopped in this process', async () => {
    const watchdog = await Watchdog.start('test');
    await expect(watchdog.stop()).resolves.toBeUndefined();
  });
});
