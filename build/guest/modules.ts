// Kernel modules in the order insmod needs. The package has no modules.dep and depmod may be absent, so the
// dependencies are read from each module's own `depends=` string.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface KernelModule {
  readonly name: string;
  readonly data: Buffer;
}

const plain = (file: string): string => basename(file, '.ko').replaceAll('-', '_');

function dependsOf(data: Buffer): string[] {
  const start = data.indexOf('\0depends=');
  if (start < 0) return [];
  const end = data.indexOf(0, start + 1);
  return data
    .toString('latin1', start + '\0depends='.length, end)
    .split(',')
    .filter(Boolean);
}

/** Wanted modules after everything they need; built-in ones are left out. Throws when one is nowhere. */
export function modulesInOrder(folder: string, wanted: readonly string[]): KernelModule[] {
  const files = new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.ko'))
      .map(path => [plain(path), join(folder, path)] as const),
  );
  const builtin = new Set(readFileSync(join(folder, 'modules.builtin'), 'utf8').split('\n').map(plain));
  const ordered = new Map<string, KernelModule>();
  const add = (want: string): void => {
    const name = want.replaceAll('-', '_');
    if (builtin.has(name) || ordered.has(name)) return;
    const file = files.get(name);
    if (file === undefined) throw new Error(`kernel module ${want} is neither built in nor in ${folder}`);
    const data = readFileSync(file);
    for (const need of dependsOf(data)) add(need);
    ordered.set(name, { name: `${name}.ko`, data });
  };
  for (const name of wanted) add(name);
  return [...ordered.values()];
}
