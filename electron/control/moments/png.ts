// Checks a picture that QEMU wrote before anybody shows it. A guest made it, so neither its size nor its
// bytes are trusted. Pure.

export const SCREEN_BYTES_MAX = 4 * 2 ** 20;
const SIDE_MAX = 8192;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Where IHDR holds width and height (PNG, 11.2.2). */
const [WIDTH_AT, HEIGHT_AT] = [16, 20];

/** Base64; null where it is no PNG, or larger than any screen. */
export function pngOf(bytes: Uint8Array): string | null {
  if (bytes.length < HEIGHT_AT + 4 || bytes.length > SCREEN_BYTES_MAX) return null;
  if (!SIGNATURE.every((byte, index) => bytes[index] === byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sides = [view.getUint32(WIDTH_AT), view.getUint32(HEIGHT_AT)];
  return sides.every(side => side > 0 && side <= SIDE_MAX) ? Buffer.from(bytes).toString('base64') : null;
}
