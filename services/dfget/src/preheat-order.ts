import { readFile } from 'node:fs/promises';

import { UsageError } from '@cdk8s-dragonfly/command';
import type { CommandValues } from '@cdk8s-dragonfly/command';
import type { DFGET_PREHEAT } from '@cdk8s-dragonfly/contract';

import { headerLines } from './header-option';

/** The body of `POST /preheats` for an image (Dragonfly 0.x protocol, 8; `platforms`, `username` and `password` are ours). */
export interface PreheatOrder {
  readonly type: 'image';
  readonly url: string;
  readonly platforms?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly username?: string;
  readonly password?: string;
}

/** The order that a command line means. @throws UsageError */
export async function preheatOrder(values: CommandValues<typeof DFGET_PREHEAT>): Promise<PreheatOrder> {
  const { argument: url, platform, header, username, passwordFile } = values;
  if ((username === undefined) !== (passwordFile === undefined)) {
    throw new UsageError('--username and --password-file have to be given together');
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of headerLines(header)) {
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return {
    type: 'image',
    url,
    ...(platform.length === 0 ? {} : { platforms: platform }),
    ...(header.length === 0 ? {} : { headers }),
    ...(username === undefined || passwordFile === undefined
      ? {}
      : { username, password: await passwordIn(passwordFile) }),
  };
}

async function passwordIn(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new UsageError(`--password-file ${path} cannot be read (${code})`, { cause: error });
  }
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new UsageError(`--password-file ${path} is empty; write the password into it`);
  return password;
}
