// What is found in the palette. Pure.

/** Every word is in the label; labels that begin with what was typed come first, otherwise the order stays. */
export function findEntries<E extends { readonly label: string }>(entries: readonly E[], typed: string): E[] {
  const wanted = typed.trim().toLowerCase();
  const words = wanted.split(/\s+/).filter(Boolean);
  const found = entries
    .map(entry => ({ entry, label: entry.label.toLowerCase() }))
    .filter(({ label }) => words.every(word => label.includes(word)));
  const begins = found.filter(({ label }) => label.startsWith(wanted));
  const others = found.filter(({ label }) => !label.startsWith(wanted));
  return [...begins, ...others].map(({ entry }) => entry);
}
