/** The path of a file on the piece server (Dragonfly 0.x protocol, 1.3). */
export function downloadPath(taskId: string): string {
  return `/download/${taskId.slice(0, 3)}/${taskId}`;
}

/** The classic task id that a path of the piece server names; undefined when it is no such path. */
export function taskIdInPath(path: string): string | undefined {
  const taskId = /^\/download\/[0-9a-f]{3}\/([0-9a-f]{64})$/.exec(path)?.[1];
  return taskId !== undefined && path === downloadPath(taskId) ? taskId : undefined;
}
