// Finds the packages that ship with Ebb, checks their licences, and makes the notice that ships with them.
// Pure over the lock file, our own imports and a reader of files; test/unit/build/ compares it with what the
// bundlers really take in.
import { importsOf, type SourceModule } from './layers.ts';

export interface LockPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
/** `packages` of package-lock.json: by folder, '' being ourselves. */
export type Lock = Readonly<Record<string, LockPackage>>;

/** Licences of shipped packages. MPL-2.0 covers its own files alone; the notice names their source. */
export const SHIPPED_ALLOWED = [
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'MPL-2.0',
];
/** Licences of tools that build and test, and are not shipped. */
export const TOOLS_ALLOWED = [...SHIPPED_ALLOWED, 'BlueOak-1.0.0', 'Python-2.0', 'WTFPL', 'CC0-1.0'];

/** An SPDX expression of AND and OR: one branch suffices, all its parts must be allowed. */
export function isAllowed(expression: string | undefined, allowed: readonly string[]): boolean {
  if (expression === undefined) return false;
  const plain = expression.replace(/[()]/g, '');
  return plain.split(' OR ').some(branch => branch.split(' AND ').every(id => allowed.includes(id.trim())));
}

/** Resolves a package as Node does: the nearest node_modules upwards. Null: the lock has no such package. */
function resolved(lock: Lock, from: string, name: string): string | null {
  for (let folder = from; ; ) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (lock[path] !== undefined) return path;
    if (folder === '') return null;
    folder = folder.includes('/node_modules/') ? folder.slice(0, folder.lastIndexOf('/node_modules/')) : '';
  }
}

/** Dependencies of a package's parts that we do not ship: fetching the runtime, a command line. */
const PARTS_LEFT_OUT: Readonly<Record<string, readonly string[] | 'all'>> = {
  'node_modules/electron': 'all',
  'node_modules/js-yaml': ['argparse'],
};

/** The lock's folders of all packages that are packed or bundled, with their dependencies. */
export function shippedPackages(lock: Lock, roots: readonly string[]): string[] {
  const found = new Set<string>();
  const waiting = roots.map(name => resolved(lock, '', name));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (path === null || found.has(path)) continue;
    found.add(path);
    const leftOut = PARTS_LEFT_OUT[path] ?? [];
    const { dependencies = {}, optionalDependencies = {} } = lock[path] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies }))
      if (leftOut !== 'all' && !leftOut.includes(name)) waiting.push(resolved(lock, path, name));
  }
  return [...found].sort();
}

/** Packages our shipped code imports, and the runtimes packed beside it. */
export function shippedRoots(lock: Lock, modules: readonly SourceModule[]): string[] {
  const imported = modules
    .flatMap(({ text }) => importsOf(text))
    .filter(target => !target.startsWith('.') && !target.startsWith('node:'))
    .map(target =>
      target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  const { dependencies = {}, optionalDependencies = {} } = lock[''] ?? {};
  return [
    ...new Set([...imported, ...Object.keys(dependencies), ...Object.keys(optionalDependencies)]),
  ].sort();
}

/** One line for each package whose licence is not allowed, for the person who must choose another. */
export function refusedLicences(lock: Lock, shipped: readonly string[]): string[] {
  return Object.entries(lock)
    .filter(([path]) => path !== '')
    .filter(
      ([path, { license }]) => !isAllowed(license, shipped.includes(path) ? SHIPPED_ALLOWED : TOOLS_ALLOWED),
    )
    .map(([path, { license }]) => `${path}: ${license ?? 'no licence'}`);
}

/** Separates packages; the window's licence page splits by it. */
export const SEPARATOR = `\n${'='.repeat(80)}\n\n`;

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 13);

/** `textOf` gives a package's own licence text; null: it is not installed (another platform's runtime). */
export function notices(
  lock: Lock,
  shipped: readonly string[],
  textOf: (path: string) => string | null,
): string {
  const parts = shipped.flatMap(path => {
    const text = textOf(path);
    if (text === null) return [];
    const { version = '', license = '' } = lock[path] ?? {};
    const name = nameOf(path);
    const source = `https://www.npmjs.com/package/${name}/v/${version}`;
    return [`${name} ${version}\nLicence: ${license}\nSource: ${source}\n\n${text.trim()}\n`];
  });
  const head =
    'Ebb contains the work of others, listed here with their licences. The Electron runtime comes with a list of its own.\n';
  return [head, ...parts].join(SEPARATOR);
}
