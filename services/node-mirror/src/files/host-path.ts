import { readlink } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { Refusal } from '../refusal';
import { hasCode, readRefusal } from './errno';

/** As many as Linux itself follows. */
const MAX_LINKS = 40;

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (hasCode(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return undefined;
    throw readRefusal(path, error);
  }
}

/**
 * Where a path of the node lies for this process: every symbolic link is followed as if `root` were `/`, so that a link
 * to `/run` of the node does not lead to `/run` of this container. What does not exist yet is kept as it is.
 *
 * @throws Refusal after 40 links
 */
export async function resolveBelow(root: string, path: string): Promise<string> {
  const done: string[] = [];
  let todo = path.split('/');
  let links = 0;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done.pop();
      continue;
    }
    const target = await linkTarget(join(root, ...done, name));
    if (target === undefined) {
      done.push(name);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new Refusal(`${path} leads through more than ${MAX_LINKS} symbolic links: a loop?`);
    if (isAbsolute(target)) done.length = 0;
    todo = [...target.split('/'), ...todo];
  }
  return join(root, ...done);
}
