/** What is used of smol-toml. Its own types say that it is an ES module only, while it brings CommonJS too. */
declare module 'smol-toml' {
  export type TomlTable = Readonly<Record<string, unknown>>;

  export class TomlError extends Error {
    readonly line: number;
    readonly column: number;
  }

  /** @throws TomlError */
  export function parse(text: string): TomlTable;
}
