/** Line and column of an offset in a text, both from 1; columns count UTF-16 units. */
function textPosition(text: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}

/** The same as words: `line 3, column 5`. */
export function describePosition(text: string, offset: number): string {
  const { line, column } = textPosition(text, offset);
  return `line ${line}, column ${column}`;
}
