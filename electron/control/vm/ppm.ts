// Reads QEMU's screen dumps (PPM, eight bits a colour). A guest made them: their size is not trusted. Pure.

/** Larger than any picture that a program looks at here: 4K and a little. */
export const PICTURE_BYTES_MAX = 32 * 2 ** 20;
const HEADER = /^P6\s(\d{1,5})\s(\d{1,5})\s255\s/;

export interface Ppm {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue, row by row: at least width × height × 3 bytes. */
  readonly pixels: Uint8Array;
}

/** Null where it is no whole picture, or an empty one. */
export function ppmOf(bytes: Uint8Array): Ppm | null {
  const header = HEADER.exec(Buffer.from(bytes.subarray(0, 32)).toString('latin1'));
  if (header === null) return null;
  const [width, height] = [Number(header[1]), Number(header[2])];
  const pixels = bytes.subarray(header[0].length);
  if (width === 0 || height === 0 || pixels.length < width * height * 3) return null;
  return { width, height, pixels };
}
