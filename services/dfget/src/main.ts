import { byFirstWord, launcher } from '@cdk8s-dragonfly/command';
import { DFGET, DFGET_DOCTOR, DFGET_PREHEAT } from '@cdk8s-dragonfly/contract';

import { examineNode } from './doctor/doctor';
import { downloadFile } from './download/download-file';
import { preheatImage } from './preheat';

/** Called by `bin/dfget.js`. */
export const main = byFirstWord(DFGET, launcher(DFGET, downloadFile), {
  commands: new Map([
    ['preheat', launcher(DFGET_PREHEAT, preheatImage)],
    ['doctor', launcher(DFGET_DOCTOR, examineNode)],
  ]),
  gone: new Map([
    ['server', 'dfget serves peers while it downloads, by itself; afterwards the df-daemon of the node does'],
    ['gen-doc', 'dfget --help lists the flags'],
  ]),
});
