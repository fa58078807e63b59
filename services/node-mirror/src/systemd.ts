import { readFile } from 'node:fs/promises';
import { hasCode } from './files/errno';
import type { HostCommands } from './host-commands';
import { Refusal } from './refusal';

const COMMAND_MS = 120_000;

/** A process that may be restarted. */
export interface ServiceProcess {
  /** Where the process file system is mounted. */
  readonly proc: string;
  readonly pid: number;
  /** For messages: `containerd`. */
  readonly name: string;
}

/** The unit of systemd that runs a process, as its control group says. @throws Refusal when none does */
export async function serviceOf({ proc, pid, name }: ServiceProcess): Promise<string> {
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

/** Restarts a service of systemd. @throws Refusal when it does not come up */
export async function restartService(commands: HostCommands, unit: string): Promise<void> {
  const { ok, said, ran } = await commands.run(['systemctl', 'restart', unit], COMMAND_MS);
  if (ok) return;
  throw new Refusal(
    ran
      ? `systemctl restart ${unit} failed: ${said}`
      : `systemctl cannot be run on the node: ${said}: in a pod, hostPID: true and privileged: true are needed`,
  );
}
