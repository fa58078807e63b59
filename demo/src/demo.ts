import { mkdirSync, writeFileSync } from 'node:fs';
import { formatBytes, type CommandContext, type CommandValues } from '@cdk8s-dragonfly/command';
import type { ClusterPlan } from './cluster/plan/plan-cluster';
import { LocalCluster } from './cluster/run/local-cluster';
import { keepUp } from './keep-up';
import { planRun } from './plan-run';
import { pullThroughAll } from './pull-through-all';
import { EmbeddedRegistry } from './registry/embedded-registry';
import { generateImage, type GeneratedImage } from './registry/generated-image';
import { RequestLog } from './registry/request-log';
import { shortcomings } from './report/result';
import { mapTable, nodeTable, registryTable } from './report/tables';
import { RunFolder } from './run-folder';
import type { DEMO } from './spec';
import { REPOSITORY, scriptOf } from './repository';
import { synthesize } from './synthesis';

/** The name of the image. */
export const IMAGE = { name: 'demo/app', tag: 'v1' } as const;
/** As many nodes as the printed map shows whole; the file shows all. */
const NODES_IN_MAP = 3;

/**
 * The run of `npm start`: manifests, registry and image, the cluster, the pull, the tables.
 *
 * @returns 0 when every digest was right and the registry sent each blob once, else 1
 */
export async function runDemo(values: CommandValues<typeof DEMO>, ctx: CommandContext): Promise<number> {
  const say = (text: string) => void ctx.stdout.write(`${text}\n`);
  const folder = await RunFolder.make(values.size * (values.nodes + 2), values.keep);
  ctx.onStop('the folder of the run', () => folder.stop());

  say(`Synthesizing the manifests into dist/, generating an image of ${formatBytes(values.size)} in ${folder.path}`);
  const [image] = await Promise.all([
    generateImage({ folder: folder.make('image'), size: values.size }),
    synthesize({ root: REPOSITORY }),
  ]);
  const requests = new RequestLog(folder.in('registry.log'));
  const registry = await EmbeddedRegistry.start({ onRequest: (request) => requests.write(request) });
  ctx.onStop('the registry', async () => {
    await registry.stop();
    requests.close();
  });
  registry.add(IMAGE.name, IMAGE.tag, image);
  ctx.signal.throwIfAborted();

  const plan = await planRun({ registry: registry.url, folder: folder.path, nodes: values.nodes });
  const cluster = new LocalCluster(plan, { folder: folder.path, scriptOf });
  folder.atExit(() => cluster.kill());
  ctx.onStop('the cluster', () => cluster.stop());
  printMap(plan, folder, say);
  say(`Starting ${plan.central.length + plan.perNode.length} processes`);
  await cluster.start(ctx.signal);

  say(
    `Pulling ${IMAGE.name}:${IMAGE.tag} through ${values.nodes === 1 ? 'one node' : `${values.nodes} nodes at once`}`,
  );
  const result = await Promise.race([pullThroughAll({ plan, image, registry, ctx, ...IMAGE }), cluster.watch()]);
  say(nodeTable(result));
  say(registryTable(result));
  const failures = shortcomings(result);
  for (const failure of failures) ctx.stderr.write(`demo: ${failure}\n`);
  if (failures.length === 0) say(verdictOf(image, values.nodes));
  if (values.keep) {
    const waiting = keepUp({ plan, registry, folder: folder.path, say, signal: ctx.signal, ...IMAGE });
    await Promise.race([waiting, cluster.watch()]);
  }
  return failures.length === 0 ? 0 : 1;
}

function printMap({ central, perNode }: ClusterPlan, folder: RunFolder, say: (text: string) => void): void {
  const file = folder.in('map.txt');
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(file, `${mapTable([...central, ...perNode])}\n`);
  say(`What the manifests say, and where it is here (paths below ${folder.path})`);
  say(mapTable([...central, ...perNode.slice(0, NODES_IN_MAP)]));
  if (perNode.length > NODES_IN_MAP) say(`The other nodes alike: ${file}`);
}

function verdictOf(image: GeneratedImage, nodes: number): string {
  const saved = image.totalBytes * (nodes - 1);
  return `Every digest is right, and the registry sent each blob once: ${formatBytes(saved)} less than without peers.`;
}
