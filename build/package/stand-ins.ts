// Stand-ins for programs from outside the npm registry, for networks that have only the registry: Electron's
// runtime, and the tools that package it. A package made with them is complete except for the window.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../electron/platform/process.ts';
import { repositoryRoot } from '../layers.ts';
import { standInExecutable } from './fuses.ts';
import type { Target } from './stage.ts';

function program(file: string, content: string | Buffer): void {
  writeFileSync(file, content);
  chmodSync(file, 0o755);
}

/** Where a 64-bit program says where its signature is, counted from its PE header. */
const SIGNATURE_AT = 24 + 112 + 4 * 8;

/** A copy of node.exe, since electron-builder edits a program's resources. Unsigned: it skips signed ones. */
function standInExe(node: Buffer): Buffer {
  const unsigned = Buffer.from(node);
  const at = unsigned.readUInt32LE(0x3c) + SIGNATURE_AT;
  unsigned.fill(0, at, at + 8);
  return Buffer.concat([unsigned, standInExecutable()]);
}

/** A folder like Electron's, with a program that has fuses and opens no window. `node`: the target's Node. */
export function standInElectron(into: string, { platform }: Target, node: string): string {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(join(into, 'resources'), { recursive: true });
  if (platform === 'win32') program(join(into, 'electron.exe'), standInExe(readFileSync(node)));
  else program(join(into, 'electron'), standInExecutable());
  writeFileSync(join(into, 'LICENSE'), 'A stand-in for the Electron runtime.\n');
  for (const name of ['LICENSES.chromium.html', 'version']) writeFileSync(join(into, name), '');
  return into;
}

/** The runtime's size is fixed: the archive begins right behind it. */
const RUNTIME_BYTES = 1024;
const APPIMAGE_RUNTIME = `#!/bin/sh
# Stands for the AppImage runtime: unpacks, and mounts nothing.
if [ "$1" = --appimage-extract ]; then
  exec unsquashfs -q -n -o ${RUNTIME_BYTES} -d squashfs-root "$0"
fi
echo "Ebb was packed without the AppImage runtime. It can be unpacked: $0 --appimage-extract" >&2
exit 1
`;

/** Debian's own tools, laid out as electron-builder expects. `missing`: the tool not found; null: none. */
export function appImageTools(into: string, { arch }: Target): { readonly missing: string | null } {
  for (const name of ['mksquashfs', 'desktop-file-validate']) {
    const found = findProgram(name);
    if (found === null) return { missing: name };
    mkdirSync(into, { recursive: true });
    cpSync(found, join(into, name), { dereference: true });
  }
  mkdirSync(join(into, 'runtimes'), { recursive: true });
  mkdirSync(join(into, 'lib', arch), { recursive: true });
  program(join(into, 'runtimes', `runtime-${arch}`), APPIMAGE_RUNTIME.padEnd(RUNTIME_BYTES, '\n'));
  return { missing: null };
}

/** Makes fpm.ts a program: electron-builder takes only a path. */
export function fpmProgram(file: string): string {
  const script = join(repositoryRoot, 'build', 'package', 'fpm.ts');
  program(file, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`);
  return file;
}
