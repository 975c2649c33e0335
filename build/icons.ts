// `node build/icons.ts` draws build/icons/icon.svg in every size a system asks for: PNGs for Linux, one .ico
// and one .icns. They are committed: electron-builder's own converter comes from outside the npm registry.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../electron/platform/process.ts';
import { repositoryRoot } from './layers.ts';

export const iconsFolder = join(repositoryRoot, 'build', 'icons');
export const PNG_SIZES = [16, 24, 32, 48, 64, 128, 256, 512] as const;
/** 0 stands for 256 in an .ico. */
export const ICO_SIZES = [16, 24, 32, 48, 64, 256] as const;
/** Apple's names of PNG entries; the doubled ones are for dense displays. */
export const ICNS_TYPES = {
  ic11: 32,
  ic12: 64,
  ic07: 128,
  ic13: 256,
  ic08: 256,
  ic14: 512,
  ic09: 512,
} as const;

export interface Drawn {
  readonly size: number;
  readonly png: Buffer;
}

export function icoOf(drawn: readonly Drawn[]): Buffer {
  const head = Buffer.alloc(6 + 16 * drawn.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(drawn.length, 4);
  let offset = head.length;
  drawn.forEach(({ size, png }, index) => {
    const at = 6 + 16 * index;
    head.writeUInt8(size % 256, at);
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(png.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += png.length;
  });
  return Buffer.concat([head, ...drawn.map(({ png }) => png)]);
}

export function icnsOf(drawn: readonly Drawn[]): Buffer {
  const head = (name: string, bytes: number): Buffer => {
    const buffer = Buffer.alloc(8);
    buffer.write(name, 0, 'latin1');
    buffer.writeUInt32BE(bytes, 4);
    return buffer;
  };
  const entries = Object.entries(ICNS_TYPES).flatMap(([type, wanted]) =>
    drawn.filter(({ size }) => size === wanted).flatMap(({ png }) => [head(type, 8 + png.length), png]),
  );
  const body = Buffer.concat(entries);
  return Buffer.concat([head('icns', 8 + body.length), body]);
}

async function draw(sizes: readonly number[]): Promise<Drawn[]> {
  const svg = readFileSync(join(iconsFolder, 'icon.svg'), 'utf8');
  // Loaded here, so that importing the sizes does not load playwright.
  const { chromium } = await import('playwright');
  const browser = await chromium.launch({
    executablePath: findProgram('chromium') ?? '',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const page = await browser.newPage();
  await page.setContent(`<style>body{margin:0}svg{display:block;width:100vw;height:100vh}</style>${svg}`);
  const drawn: Drawn[] = [];
  for (const size of sizes) {
    await page.setViewportSize({ width: size, height: size });
    drawn.push({ size, png: await page.screenshot({ omitBackground: true }) });
  }
  await browser.close();
  return drawn;
}

if (process.argv[1] === import.meta.filename) {
  const drawn = await draw(PNG_SIZES);
  mkdirSync(join(iconsFolder, 'icons'), { recursive: true });
  for (const { size, png } of drawn) writeFileSync(join(iconsFolder, 'icons', `${size}x${size}.png`), png);
  writeFileSync(join(iconsFolder, 'icon.png'), drawn.at(-1)?.png ?? '');
  const some = (sizes: readonly number[]): Drawn[] => drawn.filter(({ size }) => sizes.includes(size));
  writeFileSync(join(iconsFolder, 'icon.ico'), icoOf(some(ICO_SIZES)));
  writeFileSync(join(iconsFolder, 'icon.icns'), icnsOf(drawn));
}
