/** The bytes of a block for a while. */
export interface LentBlock {
  readonly bytes: Buffer;
  /** Ends the while: the bytes become others'. Who does not call it leaves them to the collector of garbage. */
  readonly done: () => void;
}

/** Lends bytes. @param over what is done with them then: once, since a second time would take them from another who has them. */
export function lent(bytes: Buffer, over: () => void): LentBlock {
  let isDone = false;
  return {
    bytes,
    done: () => {
      if (isDone) return;
      isDone = true;
      over();
    },
  };
}
