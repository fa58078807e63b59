import { once } from 'node:events';
import { Server, connect, createServer } from 'node:net';
import { ALL_ADDRESSES } from '@cdk8s-dragonfly/contract';
import { CommandError, listen, listenError } from '../src';

const servers: Server[] = [];

function server(): Server {
  const made = createServer();
  servers.push(made);
  return made;
}

afterEach(async () => {
  const open = servers.splice(0).filter(({ listening }) => listening);
  await Promise.all(open.map((one) => once(one.close(), 'close')));
});

describe('listen', () => {
  test('gives the address with the port that was bound', async () => {
    const one = server();
    const bound = await listen(one, { host: '127.0.0.1', port: 0 }, 'the mirror');
    expect(bound).toEqual({ host: '127.0.0.1', port: expect.any(Number) as number });
    expect(one.address()).toMatchObject({ port: bound.port });
    expect(bound.port).toBeGreaterThan(0);
  });

  test('leaves no listener behind that would hide later errors', async () => {
    const one = server();
    await listen(one, { host: '127.0.0.1', port: 0 }, 'the mirror');
    expect([one.listenerCount('error'), one.listenerCount('listening')]).toEqual([0, 0]);
  });

  test('says that the port is in use, and which flag changes it', async () => {
    const { port } = await listen(server(), { host: '127.0.0.1', port: 0 }, 'the first');
    const second = listen(server(), { host: '127.0.0.1', port, portFlag: '--peer-port' }, 'the peer server');
    const error = await second.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toHaveProperty(
      'message',
      `the peer server cannot listen on 127.0.0.1:${port}: the port is in use; stop what uses it or choose another with --peer-port`,
    );
  });

  test('on all addresses takes clients of IPv4 and IPv6', async () => {
    const { host, port } = await listen(server(), { host: ALL_ADDRESSES, port: 0 }, 'the mirror');
    expect(host).toBe('::');
    for (const at of ['127.0.0.1', '::1']) {
      const client = connect(port, at);
      await once(client, 'connect');
      client.destroy();
    }
  });

  describe('on a machine without IPv6', () => {
    beforeEach(() => {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its server
      const { listen: really } = Server.prototype;
      jest.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...given: unknown[]) {
        const [{ host }] = given as [{ host: string }];
        if (!host.includes(':')) return Reflect.apply(really, this, given) as Server;
        const error = Object.assign(new Error(`listen EAFNOSUPPORT ${host}`), { code: 'EAFNOSUPPORT' });
        setImmediate(() => this.emit('error', error));
        return this;
      });
    });
    afterEach(() => jest.restoreAllMocks());

    test('all addresses are those of IPv4', async () => {
      const { host, port } = await listen(server(), { host: ALL_ADDRESSES, port: 0 }, 'the mirror');
      expect(host).toBe('0.0.0.0');
      const client = connect(port, '127.0.0.1');
      await once(client, 'connect');
      client.destroy();
    });

    test('it says that there is no such address when one of IPv6 is asked for', async () => {
      await expect(listen(server(), { host: '::1', port: 65001 }, 'the mirror')).rejects.toThrow(
        'the mirror cannot listen on [::1]:65001: this machine has no such address; choose one that it has with --port',
      );
    });
  });

  test('says that the address is not of this machine', async () => {
    const options = { host: '192.0.2.1', port: 65001, hostFlag: '--hostIp' };
    const error = await listen(server(), options, 'the mirror').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toHaveProperty(
      'message',
      'the mirror cannot listen on 192.0.2.1:65001: this machine has no such address; choose one that it has with --hostIp',
    );
  });

  test('says that the port is not permitted', () => {
    const error = Object.assign(new Error('listen EACCES'), { code: 'EACCES' });
    expect(listenError(error, { host: '::', port: 80 }, 'the mirror')).toEqual(
      new CommandError(
        'the mirror cannot listen on [::]:80: permission denied; choose a port above 1023 with --port, or run as root',
      ),
    );
  });

  test('leaves other errors as they are', () => {
    const error = Object.assign(new Error('listen EMFILE'), { code: 'EMFILE' });
    expect(listenError(error, { host: '::', port: 80 }, 'the mirror')).toBe(error);
  });
});
