// A picture of a make-believe guest's screen: lines of bars on a dark ground. Development only.
import { crc32, deflateSync } from 'node:zlib';

const [WIDTH, HEIGHT] = [640, 400];
const [GROUND, INK] = [0x10, 0xc0];

function chunk(name: string, bytes: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), bytes]);
  const made = Buffer.alloc(body.length + 8);
  made.writeUInt32BE(bytes.length, 0);
  body.copy(made, 4);
  made.writeUInt32BE(crc32(body), body.length + 4);
  return made;
}

/** Grey, eight bits (PNG, 11.2.2). Base64. */
export function fakeScreen(): string {
  const pixels = Buffer.alloc((WIDTH + 1) * HEIGHT, GROUND);
  for (let y = 0; y < HEIGHT; y++) {
    pixels[y * (WIDTH + 1)] = 0;
    const line = Math.floor(y / 16);
    if (y % 16 < 4 || y % 16 > 12) continue;
    const end = 40 + ((line * 197) % 400);
    for (let x = 8; x < end; x++)
      if (x % 8 < 6 && (x * 7 + line) % 11 > 1) pixels[y * (WIDTH + 1) + 1 + x] = INK;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(WIDTH, 0);
  head.writeUInt32BE(HEIGHT, 4);
  head[8] = 8;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk('IHDR', head), chunk('IDAT', deflateSync(pixels)), chunk('IEND', new Uint8Array())];
  return Buffer.concat([signature, ...parts]).toString('base64');
}
