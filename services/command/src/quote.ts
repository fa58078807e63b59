import { withoutSecrets } from './secrets';

const LONGEST = 120;

/** What a user gave, as an error message repeats it: in quotes, on one line, cut after 120 characters, no secrets. */
export function quote(given: string): string {
  const text = withoutSecrets(given);
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
