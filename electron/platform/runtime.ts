// The runtime a package carries (plain Node and our services) and its copy in the data folder (DESIGN §2).
// Services run from the copy: an AppImage unmounts under a detached child, and an upgrade replaces a
// package's files while VMs run.
//   <package>/resources/runtime/   manifest.json names every file with its hash
//   <data>/runtime/<version>/      the same, whole or not there
import { createHash } from 'node:crypto';
import {
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { copyFile, mkdir, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Fault, messageOf } from '../../shared/result.ts';
import { isOlder } from './version.ts';

export interface Runtime {
  readonly folder: string;
  readonly version: string;
}
export interface RuntimeManifest {
  readonly version: string;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}
export const MANIFEST = 'manifest.json';

export const nodeIn = ({ folder }: Runtime): string =>
  join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
export const controlIn = ({ folder }: Runtime): string => join(folder, 'electron', 'control', 'main.js');

function manifestOf(folder: string): RuntimeManifest | null {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Partial<RuntimeManifest>;
    return typeof manifest.version === 'string' && typeof manifest.files === 'object'
      ? (manifest as RuntimeManifest)
      : null;
  } catch {
    return null;
  }
}

/** Null: this program runs from source or from plain bundles. */
export function packedRuntime(): Runtime | null {
  const { resourcesPath } = process as { readonly resourcesPath?: string };
  const folder =
    process.versions.electron === undefined
      ? dirname(dirname(process.execPath))
      : join(resourcesPath ?? '', 'runtime');
  const manifest = manifestOf(folder);
  return manifest === null ? null : { folder, version: manifest.version };
}

/** Compares sizes only: the hashes were checked when the runtime was copied. */
function isWhole(folder: string, manifest: RuntimeManifest): boolean {
  const own = manifestOf(folder);
  if (own === null || JSON.stringify(own) !== JSON.stringify(manifest)) return false;
  return Object.entries(manifest.files).every(
    ([path, { bytes }]) => statSync(join(folder, path), { throwIfNoEntry: false })?.size === bytes,
  );
}

async function copyRuntime(from: string, to: string, manifest: RuntimeManifest): Promise<void> {
  for (const [path, { sha256 }] of Object.entries(manifest.files)) {
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(from, path), target, constants.COPYFILE_FICLONE);
    const file = await open(target, 'r+');
    const hash = createHash('sha256').update(await file.readFile());
    // A power cut must not leave a runtime that looks whole.
    await file.sync();
    await file.close();
    if (hash.digest('hex') !== sha256) throw new Error(`${path} is not what its package says`);
  }
  writeFileSync(join(to, MANIFEST), JSON.stringify(manifest));
}

const damaged = (folder: string, cause: unknown): Fault =>
  new Fault(
    {
      code: 'rpc.unavailable',
      what: `Ebb's services could not be copied from ${folder}: ${messageOf(cause)}.`,
      safe: 'VMs that run keep running; nothing was changed.',
      todo: 'Make room in the data folder, or install Ebb again.',
    },
    cause,
  );

/** Returns the newer of the installed and the package's runtime: a data folder never goes backwards. */
export async function installRuntime(packed: Runtime, dataFolder: string): Promise<Runtime> {
  const shelf = join(dataFolder, 'runtime');
  const target = join(shelf, packed.version);
  const manifest = manifestOf(packed.folder);
  if (manifest === null) throw damaged(packed.folder, 'it has no list of its files');
  mkdirSync(shelf, { recursive: true, mode: 0o700 });
  const there = newest(shelf);
  if (there !== undefined && isOlder(packed.version, there.version)) return there;
  if (!isWhole(target, manifest)) {
    const draft = mkdtempSync(join(shelf, '.new-'));
    try {
      await copyRuntime(packed.folder, draft, manifest);
      // Another build of the same version is moved away; its processes keep the files they have open.
      if (existsSync(target) && !isWhole(target, manifest)) renameSync(target, `${draft}.old`);
      if (!existsSync(target)) renameSync(draft, target);
    } catch (cause) {
      // Another starter may have been faster.
      if (!isWhole(target, manifest)) throw damaged(packed.folder, cause);
    } finally {
      for (const left of [draft, `${draft}.old`]) rmSync(left, { recursive: true, force: true });
    }
  }
  return { folder: target, version: packed.version };
}

const onShelf = (shelf: string): Runtime[] =>
  readdirSync(shelf)
    .map(name => ({ folder: join(shelf, name), manifest: manifestOf(join(shelf, name)) }))
    .flatMap(({ folder, manifest }) =>
      manifest !== null && manifest.version === basename(folder) && isWhole(folder, manifest)
        ? [{ folder, version: manifest.version }]
        : [],
    );

const newest = (shelf: string): Runtime | undefined =>
  onShelf(shelf).toSorted((one, other) => (isOlder(one.version, other.version) ? 1 : -1))[0];

/** To be called once the services of this runtime serve: then nothing of ours runs from an older one. */
export function removeOlderRuntimes({ folder, version }: Runtime): void {
  for (const older of onShelf(dirname(folder)))
    if (isOlder(older.version, version)) rmSync(older.folder, { recursive: true, force: true });
}
