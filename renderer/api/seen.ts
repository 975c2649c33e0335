// What the page does only while somebody can see it, and no faster than that is of use.

/** Runs while the page is seen; hidden, what it answered is called; seen again, it runs anew. Answers what ends it. */
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

/** The first at once; of those that come within `ms`, the newest once that has passed. */
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
