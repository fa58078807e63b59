import { Containerd } from '../world/containerd';
import { Dockerd } from '../world/dockerd';
import type { Host } from '../world/host';
import { Hub } from '../world/hub';
import { createImage, type Image } from '../world/image';
import { OWN_IP } from '../world/network';
import { Registry } from '../world/registry';
import { World } from '../world/world';
import { nodeMirror, type Subject } from './command';

const MiB = 1024 * 1024;
const PULL_LIMIT_MS = 60_000;
const TEST_LIMIT_MS = 120_000;
/** What a dead daemon may cost an image of four blobs. */
const DEAD_DAEMON_MS = 1000;
/** Pulls with a dead daemon and without a mirror, by turns. */
const ROUNDS = 3;

interface Engine {
  readonly subject: Subject;
  readonly pull: (image: Image) => Promise<{ readonly digest: string }>;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** What a df-daemon that is not there costs a pull: nobody listens on its port, as when its pod has gone. */
describe('a dead daemon costs a pull less than a second', () => {
  let world: World;
  let origin: Registry;
  let mirror: Registry;
  const engines: Record<string, Engine> = {};

  const subjectOf = (host: Host, ...flags: readonly string[]): Subject => ({
    host,
    flags: [...flags, '--mirror', mirror.url],
  });

  beforeAll(async () => {
    world = await World.create();
    await world.explain(async () => {
      origin = await Registry.start(await world.host('origin'));
      mirror = await Registry.start(await world.host('mirror'));
      // The engines' own list of authorities, beside which they look for no other.
      const authority = `${world.newFolder('hub')}/ca.pem`;
      world.keep('docker.io', await Hub.start(OWN_IP, origin.address, authority));

      const env = { SSL_CERT_FILE: authority };
      const node = await world.host('docker');
      const dockerd = await Dockerd.start(node, '{}', { env });
      engines['docker'] = {
        subject: subjectOf(
          node,
          ...['--runtime', 'docker', '--docker-config', dockerd.configFile],
          ...['--docker-socket', dockerd.socket, '--docker-pid-file', dockerd.pidFile],
        ),
        pull: async (image) => await dockerd.pull(image, PULL_LIMIT_MS),
      };
      const other = await world.host('containerd');
      const containerd = await Containerd.start(other, { env });
      engines['containerd'] = {
        subject: subjectOf(other, '--runtime', 'containerd', '--containerd-config', other.path('containerd.toml')),
        pull: async (image) => await containerd.pull(image, PULL_LIMIT_MS),
      };
      // node-mirror points no runtime at a mirror that is down.
      for (const { subject } of Object.values(engines)) await nodeMirror(subject, 'apply');
      await mirror.stop();
    });
  }, TEST_LIMIT_MS);

  afterAll(async () => {
    await world.stop();
  }, TEST_LIMIT_MS);

  test.each(['docker', 'containerd'])(
    '%s',
    (name) =>
      world.explain(async () => {
        const engine = engines[name];
        if (engine === undefined) throw new Error(`no ${name}`);
        const timed = async (what: string, round: number): Promise<number> => {
          const repository = `${name}-${what}-${round}`;
          const image = createImage(world.newFolder(repository), repository, [MiB, MiB, MiB]);
          await origin.push(image);
          const began = performance.now();
          const { digest } = await engine.pull(image);
          const took = performance.now() - began;
          expect(digest).toBe(image.manifest.digest);
          return took;
        };
        const dead: number[] = [];
        for (let round = 0; round < ROUNDS; round += 1) dead.push(await timed('dead', round));
        await nodeMirror(engine.subject, 'restore');
        const direct: number[] = [];
        for (let round = 0; round < ROUNDS; round += 1) direct.push(await timed('direct', round));
        process.stdout.write(
          `${name}: ${Math.round(median(dead))} ms with a dead daemon, ${Math.round(median(direct))} ms without a mirror (medians of ${ROUNDS})\n`,
        );
        expect(median(dead) - median(direct)).toBeLessThan(DEAD_DAEMON_MS);
      }),
    TEST_LIMIT_MS,
  );
});
