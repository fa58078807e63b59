/**
 * A function that gives the same answer until others had their turn: cdk8s validates the whole app for each of its charts, in one go, and what
 * costs a look at all objects is to be paid for once.
 */
export function onceATurn<T>(make: () => T): () => T {
  let kept: { readonly answer: T } | undefined;
  return () => {
    if (kept === undefined) {
      kept = { answer: make() };
      queueMicrotask(() => (kept = undefined));
    }
    return kept.answer;
  };
}
