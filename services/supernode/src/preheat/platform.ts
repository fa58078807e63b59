/** A platform as image indexes name it (OCI image specification, "Image Index"). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Such as `v7` of `linux/arm/v7`. */
  readonly variant?: string | undefined;
}

const PLATFORM = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9.]+))?$/;

/** Reads `OS/ARCHITECTURE` or `OS/ARCHITECTURE/VARIANT`; undefined when it is neither. */
export function parsePlatform(text: string): Platform | undefined {
  const [, os, architecture, variant] = PLATFORM.exec(text) ?? [];
  return os === undefined || architecture === undefined ? undefined : { os, architecture, variant };
}

/** As it is written on a command line. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined || variant === '' ? [] : [variant])].join('/');
}

/** Whether an image for `offered` is what `wanted` asks for: without a variant, any of them. */
export function fits(offered: Platform, wanted: Platform): boolean {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return false;
  return wanted.variant === undefined || variantOf(offered) === variantOf(wanted);
}

/** What an index leaves out: every 64-bit ARM is a v8, a 32-bit one a v7 unless it says otherwise. */
function variantOf({ architecture, variant = '' }: Platform): string {
  if (variant !== '') return variant;
  return { arm64: 'v8', arm: 'v7' }[architecture] ?? '';
}
