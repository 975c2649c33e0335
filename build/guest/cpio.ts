// A newc cpio archive, the form Linux unpacks as initramfs. Pure: entries in, bytes out; times and owners are zero,
// so that two builds of the same parts are the same bytes. Source: kernel Documentation, buffer-format.

export interface CpioEntry {
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
}

export const DIRECTORY = 0o040755;
export const PROGRAM = 0o100755;
export const PLAIN = 0o100644;
export const LINK = 0o120777;

const padding = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4);

function header(entry: CpioEntry, inode: number): Uint8Array {
  const name = Buffer.from(`${entry.path}\0`);
  const fields = [inode, entry.mode, 0, 0, 1, 0, entry.data.length, 0, 0, 0, 0, name.length, 0];
  const text = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}`;
  const head = Buffer.concat([Buffer.from(text), name]);
  return Buffer.concat([head, padding(head.length)]);
}

export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const end: CpioEntry = { path: 'TRAILER!!!', mode: 0, data: new Uint8Array(0) };
  return Buffer.concat(
    [...entries, end].flatMap((entry, index) => [
      header(entry, index + 1),
      entry.data,
      padding(entry.data.length),
    ]),
  );
}
