// The bytes of a picture (PNG, 9.2: each row told by what differs from the one before it). Eight bits a channel.
import { inflateSync } from 'node:zlib';

const HEAD_BYTES = 8;
/** Of a grey, a colour and a colour picture with alpha; by the colour type of IHDR. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 6: 4 };

function paeth(left: number, up: number, upLeft: number): number {
  const guess = left + up - upLeft;
  const [a, b, c] = [left, up, upLeft].map(value => Math.abs(guess - value)) as [number, number, number];
  return a <= b && a <= c ? left : b <= c ? up : upLeft;
}

/** Rows of `width × channels` bytes, from the top. */
export function pngPixels(png: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = HEAD_BYTES; at + 12 <= png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const told = inflateSync(Buffer.concat(parts));
  const channels = CHANNELS[png[25] ?? 0] ?? 1;
  const bytes = png.readUInt32BE(16) * channels;
  const rows: Buffer[] = [];
  for (let at = 0; at < told.length; at += bytes + 1) {
    const row = Buffer.from(told.subarray(at + 1, at + 1 + bytes));
    const above = rows.at(-1) ?? Buffer.alloc(bytes);
    for (let x = 0; x < row.length; x++) {
      const [left, up, upLeft] = [row[x - channels] ?? 0, above[x] ?? 0, above[x - channels] ?? 0];
      const before = [0, left, up, (left + up) >> 1, paeth(left, up, upLeft)][told[at] ?? 0] ?? 0;
      row[x] = (row[x] ?? 0) + before;
    }
    rows.push(row);
  }
  return rows;
}
