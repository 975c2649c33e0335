// A tar archive (ustar) of small files, as bytes. Pure.
const BLOCK = 512;

export interface TarFile {
  /** At most 100 bytes, with forward slashes. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

function header({ name, bytes }: TarFile, atMs: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, offset: number): void => void block.write(text, offset, 'latin1');
  put(name, 0);
  put(octal(0o600, 8), 100);
  put(octal(0, 8), 108);
  put(octal(0, 8), 116);
  put(octal(bytes.length, 12), 124);
  put(octal(Math.floor(atMs / 1000), 12), 136);
  put(' '.repeat(8), 148);
  put('0', 156);
  put('ustar\u000000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

export function tar(files: readonly TarFile[], atMs: number): Buffer {
  const padded = (bytes: Uint8Array): Uint8Array[] => [
    bytes,
    Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK),
  ];
  return Buffer.concat([
    ...files.flatMap(file => [header(file, atMs), ...padded(file.bytes)]),
    Buffer.alloc(2 * BLOCK),
  ]);
}
