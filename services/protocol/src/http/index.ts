export {
  endToEndHeaders,
  headerLinesOf,
  headerValues,
  isHeaderLine,
  rawHeadersOf,
  withoutHeaders,
} from './header-lines';
export type { HeaderLine } from './header-lines';
export { parseRange } from './range';
export type { RangeOutcome } from './range';
export { redactUrl } from './redact';
