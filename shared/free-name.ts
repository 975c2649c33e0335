// The first of "sample", "sample 2", … that no name in use equals, ignoring case. Pure.
export function freeName(base: string, names: readonly string[]): string {
  const taken = new Set(names.map(name => name.toLowerCase()));
  let name = base;
  for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${base} ${count}`;
  return name;
}
