// DESIGN §8: a guest's screen made small is bounded, whatever the guest makes of it; nobody makes QEMU dump it more often.
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { pngOf } from '../../../../electron/control/moments/png.ts';
import { THUMBNAIL_BYTES_MAX, thumbnailOf } from '../../../../electron/control/screens/thumbnail-png.ts';
import { FRESH_MS, Thumbnails } from '../../../../electron/control/screens/thumbnails.ts';
import { TestClock, uuid } from '../../../support/memory-world.ts';

function picture(
  width: number,
  height: number,
  at: (x: number, y: number) => readonly [number, number, number],
): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) pixels.set(at(x, y), (y * width + x) * 3);
  return Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]);
}

/** Read back by hand: width, height, and its rows without filters. */
function seen(png: Buffer): { width: number; height: number; at: (x: number, y: number) => number[] } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const bytes = png.readUInt32BE(33);
  const rows = inflateSync(png.subarray(41, 41 + bytes));
  const at = (x: number, y: number): number[] => [
    ...rows.subarray(y * (width * 3 + 1) + 1 + x * 3, y * (width * 3 + 1) + 4 + x * 3),
  ];
  return { width, height, at };
}

describe('a screen made small', () => {
  it('keeps its proportions and its colours', () => {
    const made = thumbnailOf(picture(1280, 800, x => (x < 640 ? [200, 0, 0] : [0, 0, 200])));
    if (made === null) throw new Error('no picture');
    expect(pngOf(made)).not.toBeNull();
    const { width, height, at } = seen(made);
    expect([width, height]).toEqual([160, 100]);
    expect(at(10, 50)).toEqual([200, 0, 0]);
    expect(at(150, 50)).toEqual([0, 0, 200]);
    const text = seen(thumbnailOf(picture(720, 400, () => [1, 2, 3])) as Buffer);
    expect([text.width, text.height]).toEqual([160, 89]);
  });

  it('is mixed of what it stands for: stripes become their mean', () => {
    const made = thumbnailOf(picture(1280, 800, x => (x % 2 === 0 ? [0, 0, 0] : [255, 255, 255]))) as Buffer;
    for (const part of seen(made).at(80, 50)) expect(part).toBeGreaterThan(0);
  });

  it('of whatever size and noise, fits its bound; what is no picture is none', () => {
    const noise = fc.integer({ min: 1, max: 1_000_000 });
    void fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 300 }),
        noise,
        (width, height, seed) => {
          let state = seed;
          const next = (): number => {
            state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
            return state % 256;
          };
          const made = thumbnailOf(picture(width, height, () => [next(), next(), next()]));
          expect(made?.length).toBeLessThanOrEqual(THUMBNAIL_BYTES_MAX);
          const { width: w, height: h } = seen(made as Buffer);
          expect(w).toBeLessThanOrEqual(Math.min(160, width));
          expect(h).toBeLessThanOrEqual(Math.min(100, height));
        },
      ),
      { numRuns: 30 },
    );
    void fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        expect(thumbnailOf(bytes)).toBeNull();
      }),
    );
  });
});

const VM = uuid(1) as never;
let clock: TestClock;
let files: Map<string, Buffer>;
let dumps: number;
let screen: Buffer | Error;
let qmp: { execute: (command: string, args?: Readonly<Record<string, unknown>>) => Promise<unknown> } | null;
let thumbnails: Thumbnails;

const running = (): typeof qmp => ({
  execute: (_command, args) => {
    dumps += 1;
    if (screen instanceof Error) return Promise.reject(screen);
    files.set(String(args?.filename), screen);
    return Promise.resolve({});
  },
});

beforeEach(() => {
  clock = new TestClock();
  files = new Map();
  dumps = 0;
  screen = picture(40, 25, () => [9, 9, 9]);
  qmp = running();
  thumbnails = new Thumbnails({
    clock,
    qmp: () => qmp as never,
    runFolder: () => '/run',
    bytesOf: path => files.get(path)?.length ?? null,
    readWhole: path => files.get(path) as Buffer,
    removeFile: path => void files.delete(path),
    log: () => undefined,
  });
});

describe('small pictures of running VMs', () => {
  it('are taken once for all who look, again after a while, and leave no file', async () => {
    const [one, two] = await Promise.all([thumbnails.of(VM), thumbnails.of(VM)]);
    expect(one).toBe(two);
    expect(one).not.toBeNull();
    expect(dumps).toBe(1);
    await clock.advance(FRESH_MS - 50);
    await thumbnails.of(VM);
    expect(dumps).toBe(1);
    await clock.advance(50);
    await thumbnails.of(VM);
    expect(dumps).toBe(2);
    expect(files.size).toBe(0);
  });

  it('of another QEMU are another; of none there is none', async () => {
    await thumbnails.of(VM);
    qmp = running();
    screen = picture(40, 25, () => [200, 9, 9]);
    await thumbnails.of(VM);
    expect(dumps).toBe(2);
    qmp = null;
    expect(await thumbnails.of(VM)).toBeNull();
  });

  it('a QEMU that refuses, or writes something else, has none, and is not asked more often for it', async () => {
    screen = new Error('refused');
    expect(await thumbnails.of(VM)).toBeNull();
    expect(await thumbnails.of(VM)).toBeNull();
    expect(dumps).toBe(1);
    await clock.advance(FRESH_MS);
    screen = Buffer.from('GIF89a');
    expect(await thumbnails.of(VM)).toBeNull();
    expect(files.size).toBe(0);
  });
});
