/** What JSON says; undefined when it is none, which no schema takes. Nothing of it is quoted: it may hold a secret. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
