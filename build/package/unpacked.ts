// Reads an unpacked package, of any platform, for judge.ts.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readAsar } from './asar.ts';
import { fuseWire } from './fuses.ts';
import type { PackageContent } from './judge.ts';
import { filesBelow } from './stage.ts';

/** The file that has the fuses: the program itself, or on macOS the framework. */
function executable(folder: string): string {
  const mac = join(folder, 'Contents/Frameworks/Electron Framework.framework/Electron Framework');
  if (existsSync(mac)) return mac;
  const name = readdirSync(folder).find(file => file === 'ebb-desktop' || file === 'Ebb.exe');
  if (name === undefined) throw new Error(`${folder} holds no program of Ebb's`);
  return join(folder, name);
}

/** `folder`: linux-unpacked, win-unpacked, or Ebb.app. */
export function readPackage(folder: string): PackageContent {
  const mac = join(folder, 'Contents', 'Resources');
  const resources = existsSync(mac) ? mac : join(folder, 'resources');
  const runtime = join(resources, 'runtime');
  if (!statSync(runtime, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${folder} is no unpacked package of Ebb's: it has no ${runtime}`);
  return {
    asar: readAsar(readFileSync(join(resources, 'app.asar'))),
    runtime: filesBelow(runtime).map(path => ({ path, bytes: readFileSync(join(runtime, path)) })),
    fuseWire: fuseWire(readFileSync(executable(folder))),
    beside: readdirSync(folder),
  };
}
