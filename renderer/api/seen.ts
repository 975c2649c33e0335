// Does work only while somebody can see the page, and no faster than is of use.

/**
 * Calls `run` when the page is seen, the function it returned when the page is hidden, and `run` anew when it
 * is seen again. Returns the function that ends all this.
 */
export function whileSeen(run: () => () => void): () => void {
  let stop: (() => void) | null = null;
  const look = (): void => {
    if (document.hidden) {
      stop?.();
      stop = null;
    } else stop ??= run();
  };
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    document.removeEventListener('visibilitychange', look);
    stop?.();
    stop = null;
  };
}

/** Passes the first value on at once; of those within the next `ms`, only the newest, at their end. */
export function calmly<T>(ms: number, take: (value: T) => void): (value: T) => void {
  let waiting: { readonly value: T } | null = null;
  let isCalming = false;
  const settle = (): void => {
    isCalming = false;
    if (waiting === null) return;
    const { value } = waiting;
    waiting = null;
    give(value);
  };
  const give = (value: T): void => {
    isCalming = true;
    setTimeout(settle, ms);
    take(value);
  };
  return value => {
    if (isCalming) waiting = { value };
    else give(value);
  };
}
