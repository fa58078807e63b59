import { launcher } from '@cdk8s-dragonfly/command';
import { runDemo } from './demo';
import { DEMO } from './spec';

/** `demo`, for its launcher. */
export const main = launcher(DEMO, runDemo);
