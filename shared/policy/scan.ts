// What JSON.parse does not tell of a JSON text: where its keys stand, how deep it is nested, and which keys
// stand twice. Accepts any text and reads it in one pass, without recursion.

export interface ScannedKey {
  /** "settings.memory.vm.max.min" is ["settings", "memory.vm.max", "min"]. */
  readonly path: readonly string[];
  readonly line: number;
}

export interface Scan {
  readonly depth: number;
  readonly keys: readonly ScannedKey[];
}

const STRING = /"(?:[^"\\]|\\.)*"/y;

export function scanJson(text: string): Scan {
  /** For each open container its newest key; null for lists. */
  const open: (string | null)[] = [];
  const keys: ScannedKey[] = [];
  let depth = 0;
  let line = 1;
  let isKeyNext = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '\n') line += 1;
    else if (char === '{' || char === '[') {
      open.push(char === '{' ? '' : null);
      depth = Math.max(depth, open.length);
      isKeyNext = char === '{';
    } else if (char === '}' || char === ']') {
      open.pop();
      isKeyNext = false;
    } else if (char === ',') isKeyNext = open.at(-1) !== null;
    else if (char === '"') {
      STRING.lastIndex = at;
      const found = STRING.exec(text)?.[0];
      if (found === undefined) break;
      if (isKeyNext) {
        open[open.length - 1] = unquoted(found);
        keys.push({ path: open.map(key => key ?? '[]'), line });
        isKeyNext = false;
      }
      at += found.length - 1;
      line += found.split('\n').length - 1;
    }
  }
  return { depth, keys };
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}

/** The first key that stands twice in the same object. */
export function saidTwice(keys: readonly ScannedKey[]): ScannedKey | null {
  const seen = new Set<string>();
  for (const key of keys) {
    const path = JSON.stringify(key.path);
    if (seen.has(path)) return key;
    seen.add(path);
  }
  return null;
}
