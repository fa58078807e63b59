import { formatBytes } from '@cdk8s-dragonfly/command';
import { MultiBar } from 'cli-progress';

/** Shows how far each node is. */
export interface PullProgress {
  update(node: string, bytes: number): void;
  stop(): void;
}

/**
 * A bar a node on a terminal; elsewhere a line for each quarter of a node's way.
 *
 * @param total the bytes that each node is to receive
 */
export function pullProgress(
  output: NodeJS.WritableStream & { readonly isTTY?: boolean },
  nodes: readonly string[],
  total: number,
): PullProgress {
  return output.isTTY === true ? bars(output, nodes, total) : lines(output, nodes, total);
}

function bars(output: NodeJS.WritableStream, nodes: readonly string[], total: number): PullProgress {
  const multi = new MultiBar({
    format: '{node} [{bar}] {percentage} %  {amount}',
    stream: output,
    hideCursor: true,
    clearOnComplete: false,
    fps: 10,
    barsize: 40,
  });
  const width = Math.max(...nodes.map((node) => node.length));
  const payload = (node: string, bytes: number) => ({ node: node.padEnd(width), amount: amountOf(bytes, total) });
  const byNode = new Map(nodes.map((node) => [node, multi.create(total, 0, payload(node, 0))] as const));
  return {
    update: (node, bytes) => byNode.get(node)?.update(bytes, payload(node, bytes)),
    stop: () => multi.stop(),
  };
}

function lines(output: NodeJS.WritableStream, nodes: readonly string[], total: number): PullProgress {
  const quarters = new Map<string, number>(nodes.map((node) => [node, 0]));
  return {
    update: (node, bytes) => {
      const quarter = Math.floor((4 * bytes) / total);
      if (quarter <= (quarters.get(node) ?? 0)) return;
      quarters.set(node, quarter);
      output.write(`${node}  ${`${25 * quarter}`.padStart(3)} %  ${amountOf(bytes, total)}\n`);
    },
    stop: () => undefined,
  };
}

function amountOf(bytes: number, total: number): string {
  return `${formatBytes(bytes)} of ${formatBytes(total)}`;
}
