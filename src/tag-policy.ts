import type { Duration } from 'cdk8s';
import { DURATION } from './spec/shapes';

/** When a df-daemon answers a tag without its registry. */
export class TagPolicy {
  /** The registry is asked for each tag; when it cannot be, what was last seen counts. */
  public static readonly REVALIDATE = new TagPolicy('revalidate');
  /** The registry is asked for each tag, and its failure is the answer. */
  public static readonly STRICT = new TagPolicy('strict');

  /**
   * As `REVALIDATE`, and the registry is not asked again within this time: a tag that moves is seen that much later.
   *
   * @param time more than nothing
   */
  public static ttl(time: Duration): TagPolicy {
    DURATION('TagPolicy.ttl()', time);
    const milliseconds = time.toMilliseconds();
    if (milliseconds < 1) {
      throw new Error('TagPolicy.ttl() of nothing asks the registry each time: use TagPolicy.REVALIDATE for that.');
    }
    return new TagPolicy(`ttl=${milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`}`);
  }

  private constructor(
    /** As `dfdaemon --tag-policy` takes it. */
    public readonly text: string,
  ) {}
}
