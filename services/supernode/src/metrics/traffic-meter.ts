import type { ClassicAnswer, RegistryRequest } from '@cdk8s-dragonfly/protocol';
import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';

/** What went through the fronts: plain numbers, read when somebody asks. */
export class TrafficMeter {
  /** Bytes given as blocks to our daemons. */
  nativeBytes = 0;
  /** Bytes given as pieces to original clients. */
  originalBytes = 0;
  /** Bytes that original clients report to have from each other. */
  peerBytes = 0;
  /** Registrations of clients that were told to come again. */
  deferred = 0;
  readonly registrations = { native: 0, original: 0 };
  readonly refusals = { native: 0, original: 0 };

  /** Takes note of the answer to a registration. */
  registered({ native }: RegistryRequest, { code }: ClassicAnswer): void {
    if (code === RESULT_CODE.waitAuth) {
      this.deferred += 1;
      return;
    }
    const counts = code === RESULT_CODE.success ? this.registrations : this.refusals;
    counts[native === undefined ? 'original' : 'native'] += 1;
  }
}
