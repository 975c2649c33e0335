// Stands in for fpm, which comes from outside the npm registry: makes the deb with Debian's own dpkg-deb.
// Understands the flags of fpm that electron-builder uses; any other is refused rather than ignored. With
// SOURCE_DATE_EPOCH set, two runs over the same files give the same bytes.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { filesBelow } from './stage.ts';

export interface DebRequest {
  /** The flags given, by name, each with its values: a flag may be given several times. */
  readonly said: Readonly<Record<string, readonly string[]>>;
  /** What goes where in the package. A `from` that ends with a slash means the folder's content. */
  readonly placed: readonly { readonly from: string; readonly to: string }[];
}

/** The control file's field for each flag of fpm; null: the flag goes elsewhere, or nowhere. */
const FLAGS: Readonly<Record<string, string | null>> = {
  '--name': 'Package',
  '--version': 'Version',
  '--architecture': 'Architecture',
  '--maintainer': 'Maintainer',
  '-d': 'Depends',
  '--deb-recommends': 'Recommends',
  '--category': 'Section',
  '--deb-priority': 'Priority',
  '--url': 'Homepage',
  '--description': 'Description',
  '-s': null,
  '-t': null,
  '--package': null,
  '--after-install': null,
  '--after-remove': null,
  '--deb-compression': null,
  '--vendor': null,
  '--license': null,
};

export function readRequest(argv: readonly string[]): DebRequest {
  const said: Record<string, string[]> = {};
  const placed: { from: string; to: string }[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--force') continue;
    if (word in FLAGS) said[word] = [...(said[word] ?? []), argv[++at] ?? ''];
    else if (word.startsWith('-')) throw new Error(`fpm is asked for ${word}, which this one does not know`);
    else {
      const cut = word.lastIndexOf('=');
      if (cut <= 0) throw new Error(`${word} says no place in the package`);
      placed.push({ from: word.slice(0, cut), to: word.slice(cut + 1) });
    }
  }
  return { said, placed };
}

export function controlText({ said }: DebRequest, installedKib: number): string {
  const fields = Object.entries(FLAGS).flatMap(([flag, field]) => {
    const values = said[flag];
    if (field === null || values === undefined) return [];
    const lines = values
      .join(', ')
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== '');
    return [`${field}: ${lines.join('\n ')}`];
  });
  return [...fields, `Installed-Size: ${installedKib}`, ''].join('\n');
}

/** fpm's word for a compression, and dpkg-deb's flags for it. */
const COMPRESSION: Readonly<Record<string, readonly string[]>> = { xz: ['-Zxz'], gz: ['-Zgzip', '-z1'] };

const one = ({ said }: DebRequest, flag: string): string => {
  const [value] = said[flag] ?? [];
  if (value === undefined) throw new Error(`fpm is not told ${flag}`);
  return value;
};

function layOut({ placed }: DebRequest, root: string): void {
  for (const { from, to } of placed) {
    const target = join(root, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(from, target, { recursive: true, mode: constants.COPYFILE_FICLONE });
    // A file placed singly is made readable by all, and a program executable by all.
    if (!from.endsWith('/')) chmodSync(target, (statSync(from).mode & 0o111) === 0 ? 0o644 : 0o755);
  }
}

function describe(request: DebRequest, root: string): void {
  const files = filesBelow(root).map(path => ({ path, bytes: readFileSync(join(root, path)) }));
  const kib = Math.ceil(files.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1024);
  const sums = files.map(({ path, bytes }) => `${createHash('md5').update(bytes).digest('hex')}  ${path}\n`);
  mkdirSync(join(root, 'DEBIAN'));
  writeFileSync(join(root, 'DEBIAN', 'control'), controlText(request, kib));
  writeFileSync(join(root, 'DEBIAN', 'md5sums'), sums.join(''));
  for (const [flag, name] of [
    ['--after-install', 'postinst'],
    ['--after-remove', 'postrm'],
  ] as const)
    writeFileSync(join(root, 'DEBIAN', name), readFileSync(one(request, flag)), { mode: 0o755 });
}

export function makeDeb(request: DebRequest): void {
  if (one(request, '-t') !== 'deb') throw new Error(`it makes no ${one(request, '-t')}`);
  const target = one(request, '--package');
  const root = mkdtempSync(join(dirname(target), '.deb-'));
  try {
    chmodSync(root, 0o755);
    layOut(request, root);
    describe(request, root);
    const compression = COMPRESSION[one(request, '--deb-compression')] ?? [];
    const words = ['--root-owner-group', ...compression, '--build', root, target];
    const { status, error } = spawnSync('dpkg-deb', words, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`dpkg-deb ended with ${status ?? error?.message}`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) makeDeb(readRequest(process.argv.slice(2)));
