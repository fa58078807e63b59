import { launcher } from '@cdk8s-dragonfly/command';
import type { Launch } from '@cdk8s-dragonfly/command';
import { DFGET, DFGET_PREHEAT } from '@cdk8s-dragonfly/contract';

import { downloadFile } from './download-file';
import { preheatImage } from './preheat';

const download = launcher(DFGET, downloadFile);
const preheat = launcher(DFGET_PREHEAT, preheatImage);

/** Called by `bin/dfget.js`. The first word decides: `dfget preheat` is a command of its own. */
export const main: Launch = async ([first, ...rest], env) =>
  first === 'preheat' ? preheat(rest, env) : download(first === undefined ? [] : [first, ...rest], env);
