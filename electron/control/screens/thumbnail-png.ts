// Makes a screen small: a PNG of at most THUMBNAIL_BYTES_MAX, whatever the guest's screen is. Pure.
import { crc32, deflateSync } from 'node:zlib';
import { type Ppm, ppmOf } from '../vm/ppm.ts';

export const THUMBNAIL = { width: 160, height: 100 };
/** Any picture of that size fits: one that cannot be compressed is hardly larger than its pixels. */
export const THUMBNAIL_BYTES_MAX = 64 * 1024;
/** Screen pixels sampled for one pixel, each way: so a large screen costs no more than a small one. */
const SAMPLES = 4;

function chunk(name: string, bytes: Uint8Array): Buffer {
  const made = Buffer.alloc(bytes.length + 12);
  made.writeUInt32BE(bytes.length, 0);
  made.write(name, 4, 'latin1');
  made.set(bytes, 8);
  made.writeUInt32BE(crc32(made.subarray(4, bytes.length + 8)), bytes.length + 8);
  return made;
}

/** Eight bits a colour, no filter (PNG, 11.2.2). */
function png(width: number, height: number, rows: Uint8Array): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array()),
  ]);
}

/** The largest size that fits, in the screen's own proportions, and never larger than the screen. */
function fitted({ width, height }: Ppm): { width: number; height: number } {
  const scale = Math.min(1, THUMBNAIL.width / width, THUMBNAIL.height / height);
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** The mean red, green and blue of the part of the screen that one pixel stands for. */
function meanOf(
  { width, height, pixels }: Ppm,
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
): number[] {
  const sum = [0, 0, 0];
  for (let row = 0; row < SAMPLES; row += 1) {
    const y = Math.min(height - 1, Math.floor(fromY + ((toY - fromY) * (row + 0.5)) / SAMPLES));
    for (let column = 0; column < SAMPLES; column += 1) {
      const x = Math.min(width - 1, Math.floor(fromX + ((toX - fromX) * (column + 0.5)) / SAMPLES));
      const at = (y * width + x) * 3;
      for (let colour = 0; colour < 3; colour += 1)
        sum[colour] = (sum[colour] ?? 0) + (pixels[at + colour] ?? 0);
    }
  }
  return sum.map(total => Math.round(total / (SAMPLES * SAMPLES)));
}

/** Null where it is no picture. */
export function thumbnailOf(picture: Uint8Array): Buffer | null {
  const ppm = ppmOf(picture);
  if (ppm === null) return null;
  const { width, height } = fitted(ppm);
  const rows = Buffer.alloc((width * 3 + 1) * height);
  const [stepX, stepY] = [ppm.width / width, ppm.height / height];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      rows.set(
        meanOf(ppm, x * stepX, y * stepY, (x + 1) * stepX, (y + 1) * stepY),
        y * (width * 3 + 1) + 1 + x * 3,
      );
  return png(width, height, rows);
}
