// The first of "sample", "sample 2", … that no name in use equals, ignoring case. Pure.
export function freeName(base: string, names: readonly string[]): string {
  const taken = new Set(names.map(name => name.toLowerCase()));
  let name = base;
  for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${base} ${count}`;
  return name;
}

/** The beginning of a text, at most so long, that cuts no letter in two. Pure. */
export function shortened(text: string, lengthMax: number): string {
  let short = '';
  for (const letter of text) {
    if (short.length + letter.length > lengthMax) break;
    short += letter;
  }
  return short.trim();
}
