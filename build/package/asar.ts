// Reads an ASAR archive by its documented form: two pickles (a length, then a JSON header), then the files.

interface AsarEntry {
  readonly files?: Readonly<Record<string, AsarEntry>>;
  readonly offset?: string;
  readonly size?: number;
}

export interface AsarFile {
  readonly path: string;
  readonly bytes: Buffer;
}

export function readAsar(archive: Buffer): AsarFile[] {
  const dataAt = 8 + archive.readUInt32LE(4);
  const header = JSON.parse(archive.toString('utf8', 16, 16 + archive.readUInt32LE(12))) as AsarEntry;
  const found: AsarFile[] = [];
  const walk = (entry: AsarEntry, path: string): void => {
    for (const [name, child] of Object.entries(entry.files ?? {})) {
      const own = path === '' ? name : `${path}/${name}`;
      if (child.files !== undefined) walk(child, own);
      else {
        const at = dataAt + Number(child.offset ?? 0);
        found.push({ path: own, bytes: archive.subarray(at, at + (child.size ?? 0)) });
      }
    }
  };
  walk(header, '');
  return found;
}
