import type { Task } from '../tasks/task';

/** Waits until a task's origin has answered or failed, or `limit` ms have passed. */
export async function originHead(task: Pick<Task, 'state' | 'watch'>, limit: number): Promise<void> {
  if (task.state !== 'waiting') return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      unwatch();
      resolve();
    };
    const timer = setTimeout(done, limit);
    const unwatch = task.watch(() => {
      if (task.state !== 'waiting') done();
    });
  });
}
