// Tells the system and processor of a program or native module by its first bytes. Pure.

const PROCESSORS = {
  elf: { 62: 'x64', 183: 'arm64' },
  pe: { 34404: 'x64', 43620: 'arm64' },
  macho: { 16777223: 'x64', 16777228: 'arm64' },
} as const satisfies Record<string, Record<number, string>>;

const named = (system: string, table: Readonly<Record<number, string>>, code: number): string =>
  `${system}-${table[code] ?? 'unknown'}`;

/** `linux-x64`; null: the bytes are no machine code of a known form. */
export function machineCode(bytes: Buffer): string | null {
  if (bytes.length < 64) return null;
  if (bytes.toString('latin1', 0, 4) === '\x7fELF')
    return named('linux', PROCESSORS.elf, bytes.readUInt16LE(18));
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return named('darwin', PROCESSORS.macho, bytes.readUInt32LE(4));
  const at = bytes.toString('latin1', 0, 2) === 'MZ' ? bytes.readUInt32LE(0x3c) : bytes.length;
  if (at + 6 > bytes.length || bytes.toString('latin1', at, at + 4) !== 'PE\0\0') return null;
  return named('win32', PROCESSORS.pe, bytes.readUInt16LE(at + 4));
}
