// Assembles the sample guest, kernel and initramfs, from Debian packages into a cache folder outside the repository:
// `node build/guest/make.ts`. A second run with the same recipe answers at once. Needs apt-get and dpkg; no root.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CpioEntry, cpioArchive, DIRECTORY, LINK, PLAIN, PROGRAM } from './cpio.ts';
import { modulesInOrder } from './modules.ts';
import { putInPlace, setCurrent } from './place.ts';

const KERNEL_PACKAGE = 'linux-image-cloud-amd64';
const PACKAGES = ['busybox-static', 'perl-base', 'libc6', 'libcrypt1'];
const LIBRARIES = ['libc.so.6', 'libm.so.6', 'libcrypt.so.1', 'ld-linux-x86-64.so.2'];
const MODULES = [
  'virtio_pci',
  'virtio_console',
  'virtio_balloon',
  'virtio_blk',
  'virtio_net',
  'button',
  'evdev',
  'pvpanic',
  'pvpanic_pci',
  // For file systems that can be frozen.
  'ext4',
];
const here = import.meta.dirname;
const recipe = ['make.ts', 'modules.ts', 'cpio.ts', 'init.sh', 'profile.sh', 'udhcpc.sh', 'agent.pl'];

const cacheRoot = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ebb', 'guest');

function run(command: string, args: readonly string[], cwd: string): string {
  const ran = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
  if (ran.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${ran.stderr || ran.error?.message}`);
  return ran.stdout;
}

/** The metapackage names the newest kernel; an empty package list is filled once. */
function kernelPackage(work: string): string {
  const ask = (): string =>
    /Depends: (linux-image-\S+)/.exec(run('apt-cache', ['depends', KERNEL_PACKAGE], work))?.[1] ?? '';
  try {
    const known = ask();
    if (known !== '') return known;
  } catch {
    // No lists yet: fall through to the update.
  }
  const isRoot = process.getuid?.() === 0;
  run(isRoot ? 'apt-get' : 'sudo', isRoot ? ['update', '-q'] : ['-n', 'apt-get', 'update', '-q'], work);
  const found = ask();
  if (found === '') throw new Error(`${KERNEL_PACKAGE} is not known to apt on this system`);
  return found;
}

function filesBelow(folder: string, as: string): CpioEntry[] {
  const entries: CpioEntry[] = [{ path: as, mode: DIRECTORY, data: new Uint8Array(0) }];
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const from = join(folder, entry.name);
    const to = `${as}/${entry.name}`;
    if (entry.isDirectory()) entries.push(...filesBelow(from, to));
    else if (entry.isSymbolicLink())
      entries.push({ path: to, mode: LINK, data: Buffer.from(readlinkSync(from)) });
    else
      entries.push({
        path: to,
        mode: statSync(from).mode & 0o111 ? PROGRAM : PLAIN,
        data: readFileSync(from),
      });
  }
  return entries;
}

function initramfs(tree: string, kernel: string): Buffer {
  const folder = (path: string): CpioEntry => ({ path, mode: DIRECTORY, data: new Uint8Array(0) });
  const program = (path: string, from: string): CpioEntry => ({
    path,
    mode: PROGRAM,
    data: readFileSync(from),
  });
  const lib = join(tree, 'lib', 'x86_64-linux-gnu');
  const modules = modulesInOrder(join(tree, 'lib', 'modules', kernel), MODULES);
  return cpioArchive([
    ...[
      'bin',
      'dev',
      'proc',
      'sys',
      'run',
      'tmp',
      'root',
      'etc',
      'lib',
      'lib64',
      'lib/modules',
      'usr',
      'usr/lib',
      'usr/lib/x86_64-linux-gnu',
      'usr/share',
      'lib/x86_64-linux-gnu',
    ].map(folder),
    program('init', join(here, 'init.sh')),
    program('bin/busybox', join(tree, 'bin', 'busybox')),
    { path: 'bin/sh', mode: LINK, data: Buffer.from('busybox') },
    program('bin/perl', join(tree, 'usr', 'bin', 'perl')),
    ...LIBRARIES.map(name => program(`lib/x86_64-linux-gnu/${name}`, join(lib, name))),
    {
      path: 'lib64/ld-linux-x86-64.so.2',
      mode: LINK,
      data: Buffer.from('/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'),
    },
    ...filesBelow(
      join(tree, 'usr', 'lib', 'x86_64-linux-gnu', 'perl-base'),
      'usr/lib/x86_64-linux-gnu/perl-base',
    ).filter(entry => !entry.path.includes('/unicore')),
    { path: 'agent.pl', mode: PLAIN, data: readFileSync(join(here, 'agent.pl')) },
    { path: 'etc/profile', mode: PLAIN, data: readFileSync(join(here, 'profile.sh')) },
    program('etc/udhcpc.sh', join(here, 'udhcpc.sh')),
    ...modules.map(module => ({ path: `lib/modules/${module.name}`, mode: PLAIN, data: module.data })),
    {
      path: 'lib/modules/order',
      mode: PLAIN,
      data: Buffer.from(modules.map(module => `${module.name}\n`).join('')),
    },
  ]);
}

function assemble(target: string): void {
  const work = mkdtempSync(join(tmpdir(), 'ebb-guest-'));
  try {
    const kernel = kernelPackage(work);
    for (const name of [kernel, ...PACKAGES]) run('apt-get', ['download', '-q', name], work);
    const tree = join(work, 'tree');
    for (const name of readdirSync(work).filter(file => file.endsWith('.deb')))
      run('dpkg', ['-x', join(work, name), tree], work);
    const version = kernel.replace('linux-image-', '');
    const made = join(work, 'made');
    mkdirSync(made);
    writeFileSync(join(made, 'vmlinuz'), readFileSync(join(tree, 'boot', `vmlinuz-${version}`)));
    writeFileSync(join(made, 'initrd.gz'), gzipSync(initramfs(tree, version), { level: 9 }));
    writeFileSync(join(made, 'kernel-version'), `${version}\n`);
    putInPlace(made, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const key = createHash('sha256')
  .update(recipe.map(name => readFileSync(join(here, name), 'utf8')).join('\0'))
  .digest('hex')
  .slice(0, 16);
const target = join(cacheRoot, key);
if (!existsSync(join(target, 'kernel-version'))) {
  console.error('ebb: assembling the sample guest (once)');
  try {
    assemble(target);
  } catch (cause) {
    console.error(`ebb: ${cause instanceof Error ? cause.message : String(cause)}`);
    process.exit(1);
  }
}
// What control starts sample VMs from.
setCurrent(cacheRoot, key);
