import { formatBytes } from '@cdk8s-dragonfly/command';
import Table from 'cli-table3';
import type { ProcessPlan } from '../cluster/plan/process-plan';
import type { RunResult } from './result';

/** Plain: it must read well in a log, too. */
const STYLE = { head: [], border: [], compact: true };

/** Where everything of the manifests is on this machine. */
export function mapTable(plans: readonly ProcessPlan[]): string {
  const table = new Table({ head: ['process', 'what', 'in the manifest', 'here'], style: STYLE });
  for (const { name, map } of plans) {
    for (const [index, row] of map.entries()) {
      table.push([index === 0 ? name : '', row.what, row.manifest, row.here]);
    }
  }
  return table.toString();
}

/** Seconds and bytes a node, and where the bytes came from. */
export function nodeTable({ nodes }: RunResult): string {
  const table = new Table({
    head: ['node', 'seconds', 'received', 'own store', 'other nodes', 'supernode', 'registry'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: STYLE,
  });
  for (const result of nodes) {
    if ('failure' in result) {
      table.push([result.node, { colSpan: 6, content: 'failed', hAlign: 'left' }]);
      continue;
    }
    const { node, pulled, sources } = result;
    const amounts = [pulled.bytes, sources.local, sources.peer, sources.supernode, sources.origin];
    table.push([node, pulled.seconds.toFixed(2), ...amounts.map(formatBytes)]);
  }
  return table.toString();
}

/** What left the registry, against what would have left it without peers. */
export function registryTable({ blobs, nodes, imageBytes, registryBytes }: RunResult): string {
  const table = new Table({
    head: ['from the registry', 'size', 'requests', 'sent', 'without peers'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: STYLE,
  });
  for (const { what, size, traffic } of blobs) {
    table.push([what, formatBytes(size), traffic.gets, formatBytes(traffic.bytes), formatBytes(size * nodes.length)]);
  }
  table.push([
    'all, with manifests',
    formatBytes(imageBytes),
    '',
    formatBytes(registryBytes),
    formatBytes(imageBytes * nodes.length),
  ]);
  return table.toString();
}
