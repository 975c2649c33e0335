// Lays out what a package carries beside the window (DESIGN §2): plain Node, the services, the CLI, the page for
// browsers, the one native module. electron-builder copies it to resources/runtime; the services copy it on.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { MANIFEST, type RuntimeManifest } from '../../electron/platform/runtime.ts';
import { manPage } from '../../electron/shells/cli/man.ts';
import { repositoryRoot } from '../layers.ts';
import { projectVersion } from '../version.ts';
import { EBB_CMD, launcher } from './launchers.ts';
import { nodeOf } from './node-runtime.ts';

export interface Target {
  readonly platform: 'linux' | 'darwin' | 'win32';
  readonly arch: 'x64' | 'arm64';
}
export interface StageOptions extends Target {
  readonly into: string;
  /** The folder of the bundles; default: dist. */
  readonly dist?: string;
  readonly version?: string;
}

const modules = join(repositoryRoot, 'node_modules');
const SERVICES = ['control', 'storage', 'shells/cli', 'shells/headless'];

function copyNativeModule({ platform, arch }: Target, into: string): void {
  const from = join(modules, 'better-sqlite3');
  const to = join(into, 'node_modules', 'better-sqlite3');
  const prebuilt = join('prebuilds', `${platform}-${arch}.node`);
  for (const name of ['lib', 'package.json', 'LICENSE', prebuilt])
    cpSync(join(from, name), join(to, name), { recursive: true });
}

function copyLaunchers({ platform }: Target, into: string): void {
  if (platform === 'win32') return writeFileSync(join(into, 'bin', 'ebb.cmd'), EBB_CMD);
  for (const [name, main] of [
    ['ebb', 'electron/shells/cli/main.js'],
    ['ebb-browser', 'electron/shells/headless/main.js'],
  ] as const) {
    writeFileSync(join(into, 'bin', name), launcher(main));
    chmodSync(join(into, 'bin', name), 0o755);
  }
}

export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();

function writeManifest(into: string, version: string): void {
  const files: Record<string, { bytes: number; sha256: string }> = {};
  for (const path of filesBelow(into)) {
    const bytes = readFileSync(join(into, path));
    files[path] = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
  writeFileSync(join(into, MANIFEST), JSON.stringify({ version, files } satisfies RuntimeManifest));
}

export function stageRuntime(options: StageOptions): void {
  const { into, dist = join(repositoryRoot, 'dist'), version = projectVersion() } = options;
  const node = nodeOf(options);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(join(into, 'bin'), { recursive: true });
  copyFileSync(node.from, join(into, node.to));
  chmodSync(join(into, node.to), 0o755);
  copyLaunchers(options, into);
  for (const name of SERVICES) copyPlain(join(dist, 'electron', name), join(into, 'electron', name));
  copyPlain(join(dist, 'renderer'), join(into, 'renderer'));
  copyNativeModule(options, into);
  mkdirSync(join(into, 'man'));
  writeFileSync(join(into, 'man', 'ebb.1'), manPage());
  copyFileSync(join(repositoryRoot, 'LICENSE'), join(into, 'LICENSE'));
  copyFileSync(join(dist, 'renderer', 'licences.txt'), join(into, 'THIRD-PARTY-LICENCES.txt'));
  writeFileSync(join(into, 'package.json'), JSON.stringify({ name: 'ebb', version, type: 'module' }));
  writeManifest(into, version);
}

/** Copies a folder without source maps, which are of use only with the source. */
function copyPlain(from: string, to: string): void {
  for (const path of filesBelow(from)) {
    if (path.endsWith('.map') || path.endsWith('.LEGAL.txt')) continue;
    mkdirSync(dirname(join(to, path)), { recursive: true });
    copyFileSync(join(from, path), join(to, path));
  }
}
