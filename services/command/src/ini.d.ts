/** The part of the package `ini` that is used here. */
declare module 'ini' {
  /** Reads INI text; a line without `=` becomes a key with the value true. */
  export function parse(text: string): Record<string, unknown>;
}
