import { UsageError } from '@cdk8s-dragonfly/command';

/** What the original calls MB. */
const MIB = 1024 * 1024;

/** The bandwidth that a user sets, in MiB a second. */
export interface Bandwidth {
  /** Undefined: nobody set it. */
  readonly maxBandwidth: number | undefined;
  readonly systemBandwidth: number;
}

/**
 * Bytes a second for downloads from origins: `--max-bandwidth` less `--system-bandwidth` (Dragonfly 0.x protocol, 6.2). Unlike in the original
 * there is no limit that nobody asked for.
 *
 * @throws UsageError when nothing would be left.
 */
export function originRate({ maxBandwidth, systemBandwidth }: Bandwidth): number | undefined {
  if (maxBandwidth === undefined) return undefined;
  if (maxBandwidth > systemBandwidth) return (maxBandwidth - systemBandwidth) * MIB;
  throw new UsageError(
    `--max-bandwidth (base.maxBandwidth) is ${maxBandwidth} and must be above --system-bandwidth (base.systemReservedBandwidth), ${systemBandwidth}: nothing is left for downloads from origins`,
  );
}
