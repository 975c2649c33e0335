// The dependency direction of DESIGN §1, as a table and a pure check over import statements. Type-only imports
// count: a layer that needs another's types needs the other. `test/layers.test.ts` proves that the check sees
// modules and catches a planted violation.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';

export interface SourceModule {
  /** Path from the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

interface Layer {
  readonly folder: string;
  /** Our folders, or single files, that the layer may import from, besides its own. */
  readonly may: readonly string[];
  /** Packages and node: modules that the layer may import; a trailing * makes the name a prefix. */
  readonly packages: readonly string[];
  readonly because: string;
}

// Most specific folder first: the first that matches a file owns it.
export const LAYERS: readonly Layer[] = [
  {
    folder: 'shared/',
    may: [],
    packages: ['zod'],
    because: 'shared is pure: nouns, units, errors, the contract',
  },
  {
    folder: 'electron/platform/',
    may: ['shared/'],
    packages: ['node:*', 'better-sqlite3'],
    because: 'the only files that touch the world; nothing of ours above shared',
  },
  {
    folder: 'electron/transport/',
    may: ['shared/', 'electron/platform/'],
    packages: ['node:*', 'ws'],
    because: 'channel adapters know nothing of who is calling',
  },
  {
    folder: 'electron/storage/',
    may: ['shared/', 'electron/platform/', 'electron/transport/'],
    packages: ['zod', 'better-sqlite3', 'node:*'],
    because: 'storage serves control and knows nothing of it',
  },
  {
    folder: 'electron/control/',
    may: [
      'shared/',
      'electron/platform/',
      'electron/transport/',
      'electron/storage/client.ts',
      'electron/storage/contract.ts',
    ],
    packages: ['zod', 'better-sqlite3', 'node:*'],
    because: 'control reaches storage through its client, never its files',
  },
  {
    folder: 'electron/shells/desktop/',
    may: ['shared/', 'electron/platform/', 'electron/transport/', 'electron/control/start-on-demand.ts'],
    packages: ['electron', 'electron-updater', 'node:*'],
    because: 'the shell is thin: it starts control and hands over a channel',
  },
  {
    folder: 'electron/shells/headless/',
    may: ['shared/', 'electron/platform/', 'electron/transport/', 'electron/control/start-on-demand.ts'],
    packages: ['ws', 'node:*'],
    because: 'the shell is thin: it starts control and hands over a channel',
  },
  {
    folder: 'electron/shells/cli/',
    may: ['shared/', 'electron/platform/', 'electron/transport/', 'electron/control/start-on-demand.ts'],
    packages: ['zod', 'node:*'],
    because: 'the CLI talks only through the contract',
  },
  {
    folder: 'renderer/',
    may: ['shared/'],
    packages: [
      'zod',
      'react*',
      'zustand*',
      'uplot*',
      '@novnc/novnc*',
      '@xterm/*',
      'lucide-react',
      'vite/client',
    ],
    because: 'the renderer runs in a page: no node, no electron',
  },
];

export interface Violation {
  readonly file: string;
  readonly imports: string;
  readonly because: string;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

export const importsOf = (text: string): string[] =>
  [...text.matchAll(IMPORT)].map(match => match[1] ?? match[2] ?? match[3] ?? '');

const matches = (name: string, pattern: string): boolean =>
  pattern.endsWith('*')
    ? name.startsWith(pattern.slice(0, -1))
    : name === pattern || name.startsWith(`${pattern}/`);

function allowed(layer: Layer, file: string, target: string): boolean {
  if (!target.startsWith('.')) return layer.packages.some(pattern => matches(target, pattern));
  const resolved = posix.normalize(posix.join(posix.dirname(file), target));
  if (resolved.startsWith(layer.folder)) return true;
  return layer.may.some(place => (place.endsWith('/') ? resolved.startsWith(place) : resolved === place));
}

export function findViolations(modules: readonly SourceModule[]): Violation[] {
  const found: Violation[] = [];
  for (const { path, text } of modules) {
    const layer = LAYERS.find(candidate => path.startsWith(candidate.folder));
    if (layer === undefined) continue;
    for (const target of importsOf(text)) {
      if (!allowed(layer, path, target)) found.push({ file: path, imports: target, because: layer.because });
    }
  }
  return found;
}

/** Every TypeScript source below the folders, read from disk. */
export function readModules(root: string, folders: readonly string[]): SourceModule[] {
  return folders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && /\.tsx?$/.test(entry.name))
      .map(entry => join(entry.parentPath, entry.name))
      .map(file => ({ path: relative(root, file).split(sep).join('/'), text: readFileSync(file, 'utf8') })),
  );
}

export const repositoryRoot = dirname(import.meta.dirname);
