import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { checkedBy } from './checked';
import { preheatCronJob, preheatJob } from './manifests/preheat';
import { refuseFaultyObjects } from './policy/own-objects';
import type { PreheatJobProps } from './preheat-job-props';
import { preheatSpec } from './spec/preheat';
import { defaultNamespace, refuseTakenNames } from './unique-name';

/** Has the supernode fetch images before nodes pull them: once, or on a schedule. Fails when a layer could not be fetched. */
export class PreheatJob extends Construct {
  /** The Job; absent with `schedule`. */
  public readonly job?: k8s.KubeJob;
  /** The CronJob; absent without `schedule`. */
  public readonly cronJob?: k8s.KubeCronJob;

  public constructor(scope: Construct, id: string, props: PreheatJobProps) {
    super(scope, id);
    const spec = checkedBy(this, () => preheatSpec(props, defaultNamespace(this)));
    if (spec.schedule === undefined) {
      this.job = new k8s.KubeJob(this, 'job', preheatJob(spec));
    } else {
      this.cronJob = new k8s.KubeCronJob(this, 'cron-job', preheatCronJob(spec, spec.schedule));
    }
    refuseTakenNames(this);
    refuseFaultyObjects(this);
  }
}
