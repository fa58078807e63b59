import { UsageError } from '@cdk8s-dragonfly/command';

const MIB = 1024 * 1024;

/** The bandwidth that a user sets, in bytes a second. */
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
  if (maxBandwidth > systemBandwidth) return maxBandwidth - systemBandwidth;
  throw new UsageError(
    `--max-bandwidth (base.maxBandwidth) is ${maxBandwidth / MIB} MiB a second and must be above --system-bandwidth (base.systemReservedBandwidth), ${systemBandwidth / MIB}: nothing is left for downloads from origins`,
  );
}
