// Runs before anything is installed, on the machine's own Node 20 or later: installs the locked dependencies,
// the project's Node 24, the system parts a verb needs and the sample guest, then hands over to
// build/scripts/<verb>.ts. Plain JavaScript without imports from npm. Never a silent partial run: a missing
// part is installed or named.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');
const stampFile = join(root, 'node_modules', '.ebb-lock-hash');

/** Binary → Debian package. RUN_PARTS are what `npm start` needs; TEST_PARTS adds those of the tests. */
const RUN_PARTS = { 'qemu-system-x86_64': 'qemu-system-x86', 'qemu-img': 'qemu-utils' };
/** xfs_io shares and punches ranges of files; without it Ebb copies, so it is wished for, not required. */
const WISHED_PARTS = process.platform === 'linux' ? { xfs_io: 'xfsprogs' } : {};
const TEST_PARTS = {
  ...RUN_PARTS,
  chromium: 'chromium',
  Xvfb: 'xvfb',
  '7z': 'p7zip-full',
  swtpm: 'swtpm',
  // Firmware is no program: its path is relative to a folder of programs.
  '../share/OVMF/OVMF_CODE_4M.fd': 'ovmf',
  python3: 'python3-minimal',
  vhdimount: 'libvhdi-utils',
  'mkfs.xfs': 'xfsprogs',
  nbdinfo: 'libnbd-bin',
  nbdsh: 'python3-libnbd',
  fio: 'fio',
};
// Not `npm ci`: it refuses a lock that lacks other platforms' optional packages, which a registry may not carry.
const INSTALL = ['install', '--no-save', '--no-audit', '--no-fund'];
const VERBS = {
  start: { parts: RUN_PARTS, guest: 'wanted' },
  dev: { parts: RUN_PARTS, guest: 'wanted' },
  check: { parts: {}, guest: 'no' },
  test: { parts: TEST_PARTS, guest: 'needed' },
  sim: { parts: {}, guest: 'no' },
  guest: { parts: TEST_PARTS, guest: 'needed' },
  e2e: { parts: TEST_PARTS, guest: 'needed' },
  pictures: { parts: { chromium: 'chromium' }, guest: 'no' },
  bench: { parts: TEST_PARTS, guest: 'needed' },
  build: { parts: {}, guest: 'no' },
  dist: { parts: {}, guest: 'no' },
};

// Progress goes to stderr: `npm run -s sim -- … --json` must leave one JSON document on stdout.
const say = text => process.stderr.write(`ebb: ${text}\n`);
const stop = text => {
  say(text);
  process.exit(1);
};
const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
const findOnPath = name =>
  `${process.env.PATH ?? ''}${delimiter}/usr/sbin`
    .split(delimiter)
    .some(folder => folder && existsSync(join(folder, name)));

function bringDependencies() {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash) return;
  say('installing the locked dependencies (once)');
  const npm = process.env.npm_execpath;
  const started = npm?.endsWith('.js') ? run(process.execPath, [npm, ...INSTALL]) : run('npm', INSTALL);
  if (started.status !== 0)
    stop('npm install failed; nothing was started. Mend what it says above, then run this again.');
  writeFileSync(stampFile, hash);
}

function projectNode() {
  const own = join(bin, process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(own)) return own;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 14)) return process.execPath;
  // better-sqlite3 13 crashes older Nodes without a message, so refuse before it is loaded.
  return stop(
    `this machine has Node ${process.versions.node} and no packaged Node 24; install Node 22.14 or later.`,
  );
}

function bringSystemParts(needed) {
  if (Object.keys(needed).length === 0) return;
  const lacks = parts => Object.keys(parts).filter(name => !findOnPath(name));
  if (lacks({ ...needed, ...WISHED_PARTS }).length === 0) return;
  const isRoot = process.getuid?.() === 0;
  const hasApt = findOnPath('apt-get');
  const hasSudo = !isRoot && findOnPath('sudo') && spawnSync('sudo', ['-n', 'true']).status === 0;
  const parts = hasApt && (isRoot || hasSudo) ? { ...needed, ...WISHED_PARTS } : needed;
  const missing = lacks(parts);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(name => parts[name]))];
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages];
  if (!hasApt || !(isRoot || hasSudo)) {
    stop(
      hasApt
        ? `missing: ${missing.join(', ')}. Nothing was started. Run this, then try again:\n\n  sudo ${install.join(' ')}\n`
        : `missing: ${missing.join(', ')} (Debian packages ${packages.join(', ')}). Install them with this system's package manager, then try again.`,
    );
  }
  say(`installing ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = args => (isRoot ? run(args[0], args.slice(1), { env }) : run('sudo', ['-n', ...args], { env }));
  apt(['apt-get', 'update', '-q']);
  if (apt(install).status !== 0)
    stop(`could not install ${packages.join(', ')}; see above. Nothing was started.`);
  const still = missing.filter(name => !findOnPath(name));
  if (still.length > 0)
    stop(`installed ${packages.join(', ')}, but ${still.join(', ')} is still not on the PATH.`);
}

function bringSampleGuest(node, need) {
  if (need === 'no') return;
  const made = run(node, [join(root, 'build', 'guest', 'make.ts')]);
  if (made.status === 0) return;
  if (need === 'needed') stop('the sample guest could not be assembled (see above); the tests need it.');
  say('the sample guest could not be assembled (see above); everything else works without it.');
}

const [verb = '', ...args] = process.argv.slice(2);
const wants = VERBS[verb];
if (!wants) stop(`unknown verb "${verb}"; one of ${Object.keys(VERBS).join(', ')}.`);
mkdirSync(join(root, 'node_modules'), { recursive: true });
bringDependencies();
const node = projectNode();
bringSystemParts(wants.parts);
bringSampleGuest(node, wants.guest);
const script = join(root, 'build', 'scripts', `${verb}.ts`);
const env = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  // With this cache a module's types are stripped once, not by each of the tests' hundreds of processes.
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compile'),
};
const ended = spawnSync(node, ['--disable-warning=ExperimentalWarning', script, ...args], {
  cwd: process.cwd(),
  stdio: 'inherit',
  env,
});
process.exit(ended.status ?? 1);
