/** What is said for each fault that the JSON scanner finds, by the scanner's name for it. */
const FAULTS: Readonly<Record<string, string>> = {
  InvalidCommentToken: 'a comment, which dockerd does not accept',
  InvalidSymbol: 'text that is no JSON',
  InvalidNumberFormat: 'a number that is not written as JSON wants it',
  PropertyNameExpected: 'a key in double quotes is missing',
  ValueExpected: 'a value is missing',
  ColonExpected: "':' is missing",
  CommaExpected: "',' is missing",
  CloseBraceExpected: "'}' is missing",
  CloseBracketExpected: "']' is missing",
  EndOfFileExpected: 'text after the end of the document',
  UnexpectedEndOfComment: 'a comment, which dockerd does not accept',
  UnexpectedEndOfString: 'a string without its closing quote',
  UnexpectedEndOfNumber: 'a number that is not written as JSON wants it',
  InvalidUnicode: 'a broken \\u escape',
  InvalidEscapeCharacter: 'an escape that JSON does not know',
  InvalidCharacter: 'a control character in a string',
};

/** A fault of a JSON text in words, with the offset that it is best shown at. */
export function jsonFault(
  text: string,
  offset: number,
  code: string,
): { readonly offset: number; readonly what: string } {
  const before = text.slice(0, offset).trimEnd();
  if (before.endsWith(',') && ['}', ']'].includes(text.charAt(offset))) {
    return { offset: before.length - 1, what: 'a trailing comma, which dockerd does not accept' };
  }
  return { offset, what: FAULTS[code] ?? 'not valid JSON' };
}
