import { readFile } from 'node:fs/promises';
import { hasCode } from './files/errno';
import type { HostCommands } from './host-commands';
import { Refusal } from './refusal';

const COMMAND_MS = 120_000;

/** What of a process has to be restarted. */
export interface ServiceOf {
  /** Where the process file system is mounted. */
  readonly proc: string;
  readonly pid: number;
  /** For messages: `containerd`. */
  readonly name: string;
}

/** The unit of systemd that runs a process, as its control group says. @throws Refusal when none does */
async function unitOf({ proc, pid, name }: ServiceOf): Promise<string> {
  const groups = await readFile(`${proc}/${pid}/cgroup`, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  });
  const unit = /\/([^/\n]+\.service)$/m.exec(groups)?.[1];
  if (unit !== undefined) return unit;
  throw new Refusal(
    `${name} (process ${pid}) is not run by a service of systemd, so it cannot be restarted from here: restart it by hand and run again`,
  );
}

/** Restarts the service of systemd that runs a process. @throws Refusal when there is none, or it does not come up */
export async function restartService(commands: HostCommands, service: ServiceOf): Promise<void> {
  const unit = await unitOf(service);
  const { ok, said, ran } = await commands.run(['systemctl', 'restart', unit], COMMAND_MS);
  if (ok) return;
  throw new Refusal(
    ran
      ? `systemctl restart ${unit} failed: ${said}`
      : `systemctl cannot be run on the node: ${said}: in a pod, hostPID: true and privileged: true are needed`,
  );
}
