/** What of each node the test watches, as a line of JSON: paths and what is there. */
export type NodeStates = ReadonlyMap<string, string>;

/** Whether nothing below a path has changed on any node. */
export function same(a: NodeStates, b: NodeStates, prefix: string): boolean {
  return [...a].every(([node, state]) => part(state, prefix) === part(b.get(node), prefix));
}

/** What has changed, for a reader. */
export function difference(before = '{}', after = '{}'): string {
  const [a, b] = [JSON.parse(before) as Record<string, string>, JSON.parse(after) as Record<string, string>];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((path) => a[path] !== b[path])
    .map((path) => `${path} was ${a[path] ?? 'absent'}, is ${b[path] ?? 'absent'}`)
    .join('; ');
}

/** The nodes where one of the paths is. */
export function having(states: NodeStates, paths: readonly string[]): string[] {
  return [...states].flatMap(([node, state]) => {
    const there = paths.filter((path) => path in (JSON.parse(state) as object));
    return there.length > 0 ? [`${node} has ${there.join(', ')}`] : [];
  });
}

function part(state: string | undefined, prefix: string): string {
  return JSON.stringify(
    Object.entries(JSON.parse(state ?? '{}') as object).filter(([path]) => path.startsWith(prefix)),
  );
}
