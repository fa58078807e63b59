export {
  HOP_BY_HOP_HEADERS,
  endToEndHeaders,
  headerLinesOf,
  headerValues,
  isHeaderLine,
  rawHeadersOf,
  withoutHeaders,
} from './header-lines';
export type { HeaderLine } from './header-lines';
export { parseContentRange, parseRange } from './range';
export type { ContentRange, RangeOutcome } from './range';
export { REDACTED, redactHeaders, redactUrl } from './redact';
