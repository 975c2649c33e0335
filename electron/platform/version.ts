// Ebb's version, and which of two is older. Pure.

/** Set by the bundler from package.json. From source the literal below counts: a test keeps it the same. */
declare const EBB_BUILD_VERSION: string | undefined;

export const EBB_VERSION = typeof EBB_BUILD_VERSION === 'string' ? EBB_BUILD_VERSION : '0.1.0';

const numbers = (version: string): number[] =>
  (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);

/** Compares the numbers alone; a version without numbers counts as 0. */
export function isOlder(one: string, other: string): boolean {
  const [left, right] = [numbers(one), numbers(other)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
