// Checks what an unpacked package must hold, and must not. Pure: files in, complaints out. `npm run dist --
// verify FOLDER` runs it on any package on any machine.
import { createHash } from 'node:crypto';
import type { RuntimeManifest } from '../../electron/platform/runtime.ts';
import type { AsarFile } from './asar.ts';
import { wrongFuses } from './fuses.ts';
import { machineCode } from './machine-code.ts';

export interface PackageFile {
  readonly path: string;
  readonly bytes: Buffer;
}
export interface PackageContent {
  readonly asar: readonly AsarFile[];
  /** The files below resources/runtime. */
  readonly runtime: readonly PackageFile[];
  readonly fuseWire: string;
  /** The names in the package's own folder. */
  readonly beside: readonly string[];
}

const MIB = 2 ** 20;
/** The largest sizes allowed. Node itself is 120 MiB of the runtime. */
export const BUDGET_BYTES = { asar: 8 * MIB, runtime: 150 * MIB, services: 10 * MIB };

const IN_ASAR = /^(?:package\.json|LICENSE|dist\/electron\/shells\/desktop\/[\w.-]+|dist\/renderer\/.+)$/;
const IN_RUNTIME =
  /^(?:manifest\.json|package\.json|LICENSE|THIRD-PARTY-LICENCES\.txt|bin\/(?:node(?:\.exe)?|ebb(?:\.cmd)?|ebb-browser)|man\/ebb\.1|(?:electron\/(?:control|storage|shells\/(?:cli|headless))|renderer)\/.+|node_modules\/better-sqlite3\/.+)$/;
const NEEDED_ASAR = [
  'package.json',
  'LICENSE',
  'dist/electron/shells/desktop/main.js',
  'dist/electron/shells/desktop/preload.cjs',
  'dist/electron/shells/desktop/icon.png',
  'dist/renderer/index.html',
  'dist/renderer/licences.txt',
];
/** The licences of Electron and Chromium; on macOS they are inside the bundle. */
const NEEDED_BESIDE = ['LICENSE.electron.txt', 'LICENSES.chromium.html'];
const NEEDED_RUNTIME = [
  'electron/control/main.js',
  'electron/storage/main.js',
  'electron/storage/worker.js',
  'electron/storage/vhd/main.js',
  'electron/shells/cli/main.js',
  'electron/shells/headless/main.js',
  'renderer/index.html',
  'man/ebb.1',
  'LICENSE',
  'THIRD-PARTY-LICENCES.txt',
];
/** Absolute paths of the machine that made the package. Only code is searched: licences may name any. */
const ABSOLUTE = /(?<![\w.~-])(?:\/home\/\w+|\/Users\/\w+|\/builds?\/\w+\/|[A-Z]:\\\\?Users\\)/;
const TEXT = /\.(?:js|cjs|css|html|json)$/;
const PREBUILT = /^node_modules\/better-sqlite3\/prebuilds\/(.+)\.node$/;
const NODE = /^bin\/node(?:\.exe)?$/;

const sum = (files: readonly PackageFile[]): number =>
  files.reduce((total, { bytes }) => total + bytes.length, 0);

function judgeNames(
  where: string,
  files: readonly PackageFile[],
  allowed: RegExp,
  needed: readonly string[],
): string[] {
  const names = files.map(({ path }) => path);
  return [
    ...needed.filter(name => !names.includes(name)).map(name => `${where} lacks ${name}`),
    ...names.filter(name => !allowed.test(name)).map(name => `${where} should not hold ${name}`),
    ...names.filter(name => name.endsWith('.map')).map(name => `${where} holds a source map: ${name}`),
  ];
}

function judgePaths(where: string, files: readonly PackageFile[]): string[] {
  return files
    .filter(({ path }) => TEXT.test(path))
    .flatMap(({ path, bytes }) => {
      const found = ABSOLUTE.exec(bytes.toString('utf8'));
      return found === null ? [] : [`${where}: ${path} names ${found[0]}`];
    });
}

function judgeManifest(runtime: readonly PackageFile[]): string[] {
  const own = runtime.find(({ path }) => path === 'manifest.json');
  if (own === undefined) return ['the runtime has no manifest.json'];
  const { files } = JSON.parse(own.bytes.toString('utf8')) as RuntimeManifest;
  const others = runtime.filter(file => file !== own);
  const wrong = others.filter(
    ({ path, bytes }) => files[path]?.sha256 !== createHash('sha256').update(bytes).digest('hex'),
  );
  const missing = Object.keys(files).filter(name => !others.some(({ path }) => path === name));
  return [
    ...wrong.map(({ path }) => `${path} is not what the manifest says`),
    ...missing.map(name => `the manifest names ${name}, which is not there`),
  ];
}

function judgeSizes({ asar, runtime }: PackageContent): string[] {
  const services = runtime.filter(({ path }) => !/^(?:bin\/node|node_modules\/)/.test(path));
  const sizes = { asar: sum(asar), runtime: sum(runtime), services: sum(services) };
  return Object.entries(BUDGET_BYTES).flatMap(([name, most]) => {
    const bytes = sizes[name as keyof typeof sizes];
    return bytes <= most ? [] : [`${name} is ${(bytes / MIB).toFixed(1)} MiB of ${most / MIB}`];
  });
}

/** The package's target (`linux-x64`), by its native module; all other machine code must be for the same. */
export const targetOf = ({ runtime }: PackageContent): string =>
  runtime.map(({ path }) => PREBUILT.exec(path)?.[1]).find(name => name !== undefined) ?? 'unknown';

function judgeMachine(content: PackageContent): string[] {
  const { runtime } = content;
  const target = targetOf(content);
  const isWindows = target.startsWith('win32');
  const bins = isWindows ? ['bin/node.exe', 'bin/ebb.cmd'] : ['bin/node', 'bin/ebb', 'bin/ebb-browser'];
  const here = runtime.map(({ path }) => path).filter(path => path.startsWith('bin/'));
  return [
    ...bins.filter(path => !here.includes(path)).map(path => `the runtime for ${target} lacks ${path}`),
    ...here.filter(path => !bins.includes(path)).map(path => `the runtime for ${target} holds ${path}`),
    ...runtime
      .filter(({ path }) => NODE.test(path) || PREBUILT.test(path))
      .filter(({ bytes }) => machineCode(bytes) !== target)
      .map(({ path, bytes }) => `${path} is for ${machineCode(bytes) ?? 'no machine'}, not ${target}`),
  ];
}

/** All complaints about a package; a package is released only without any. */
export function judgePackage(content: PackageContent): string[] {
  const { asar, runtime, fuseWire, beside } = content;
  const isBundle = targetOf(content).startsWith('darwin');
  const prebuilt = runtime.filter(({ path }) => PREBUILT.test(path)).length;
  return [
    ...judgeNames('the archive', asar, IN_ASAR, NEEDED_ASAR),
    ...judgeNames('the runtime', runtime, IN_RUNTIME, NEEDED_RUNTIME),
    ...(prebuilt === 1 ? [] : [`the runtime holds ${prebuilt} native modules, not its own alone`]),
    ...NEEDED_BESIDE.filter(name => !isBundle && !beside.includes(name)).map(
      name => `the package lacks ${name}`,
    ),
    ...judgeMachine(content),
    ...judgeManifest(runtime),
    ...judgePaths('the archive', asar),
    ...judgePaths('the runtime', runtime),
    ...judgeSizes(content),
    ...wrongFuses(fuseWire).map(line => `fuse ${line}`),
  ];
}
