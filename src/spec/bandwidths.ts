import type { Bandwidth } from '../bandwidth';
import { SUPERNODE } from '../contract/index';
import type { SupernodeProps } from '../supernode-props';

/** MiB a second; absent: no limit, and the flag's own default. */
interface BandwidthsSpec {
  readonly maxBandwidth: number | undefined;
  readonly systemBandwidth: number | undefined;
}

/**
 * How much a supernode may take of the network, in MiB a second.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function bandwidths(props: SupernodeProps): BandwidthsSpec {
  const maxBandwidth = mebibytes('maxBandwidth', props.maxBandwidth);
  const systemBandwidth = mebibytes('systemBandwidth', props.systemBandwidth);
  if (systemBandwidth !== undefined && maxBandwidth === undefined) {
    throw new Error('systemBandwidth says nothing without maxBandwidth, of which it is a part: give both, or neither.');
  }
  const most = SUPERNODE.flags.maxBandwidth.max / 1024 ** 2;
  if (maxBandwidth !== undefined && maxBandwidth > most) {
    throw new Error(`maxBandwidth is ${maxBandwidth} MiB/s: use at most ${most}, or leave it out for no limit.`);
  }
  const kept = systemBandwidth ?? DEFAULT_SYSTEM_BANDWIDTH;
  if (maxBandwidth !== undefined && maxBandwidth <= kept) {
    throw new Error(
      `maxBandwidth is ${maxBandwidth} MiB/s, of which systemBandwidth keeps ${kept}: nothing is left for downloads; ` +
        'raise the first, or lower the second.',
    );
  }
  return { maxBandwidth, systemBandwidth };
}

/** MiB a second, as the flag's own default. */
const DEFAULT_SYSTEM_BANDWIDTH = 20;

/** @throws Error naming the prop: no whole number. */
function mebibytes(prop: string, bandwidth: Bandwidth | undefined): number | undefined {
  try {
    return bandwidth?.toMebibytesPerSecond();
  } catch (error) {
    throw new Error(`${prop} of ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
