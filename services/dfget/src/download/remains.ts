import { formatBytes } from '@cdk8s-dragonfly/command';

import type { Transit } from './output-file';
import { gotOf } from './progress';
import type { Standing } from './progress';

/** What is in transit when a download ends: for the next run, or of no use. */
export class Remains {
  /** Undefined before it is known what is there: it may be another run's that is under way, or what an earlier one left. */
  standing: Standing | undefined;
  /** Whether the next run can be told by the origin's entity tag whether what came is of what stands there then. */
  isTagged = false;
  /** Whether the download has succeeded, or what came is wrong. */
  isSpent = false;

  /**
   * @param isVouched whether the next run can be told what the whole must be.
   * @param stderr where the user is told of what came.
   */
  constructor(
    private readonly transit: Transit,
    private readonly isVouched: boolean,
    private readonly stderr: NodeJS.WritableStream,
  ) {}

  /** Removes what is of no use; to be called once, when nobody writes there any more. */
  async settle(): Promise<void> {
    const { isSpent, standing, transit } = this;
    const isVouched = this.isVouched || this.isTagged;
    if (standing === undefined) return;
    const bytes = isSpent ? 0 : gotOf(standing);
    if (bytes === 0 || !isVouched) await transit.remove();
    if (bytes === 0) return;
    const fate = isVouched
      ? `are kept in ${transit.folder}; the same command goes on from there`
      : 'are thrown away, since nobody can tell whether they fit to what stands there next time, without a strong ETag of the origin; with --sha256 or --md5 the same command goes on';
    this.stderr.write(`dfget: ${formatBytes(bytes)} ${fate}\n`);
  }
}
