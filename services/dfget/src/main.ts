import { launcher } from '@cdk8s-dragonfly/command';
import { DFGET } from '@cdk8s-dragonfly/contract';

import { downloadFile } from './download-file';

/** Called by `bin/dfget.js`. */
export const main = launcher(DFGET, downloadFile);
