import { ContainerRuntime } from '../container-runtime';

/**
 * The names of container runtimes, as `node-mirror --runtime` takes them.
 *
 * @throws Error naming the prop and the fix: none, one twice, `auto` beside others.
 */
export function checkRuntimes(prop: string, runtimes: ContainerRuntime[] = [ContainerRuntime.AUTO]): string[] {
  const names = runtimes.map(({ name }) => name);
  if (names.length === 0) {
    throw new Error(`${prop} is empty: name at least one runtime, or leave it out for ContainerRuntime.AUTO.`);
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new Error(`${prop} names "${twice}" twice: name it once.`);
  }
  if (names.length > 1 && names.includes(ContainerRuntime.AUTO.name)) {
    throw new Error(
      `${prop} has ContainerRuntime.AUTO, which is each that is found, beside others: leave one of the two out.`,
    );
  }
  return names;
}
