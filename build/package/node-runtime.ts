// The Node that a package carries. npm installs only this machine's; that of another target is fetched by npm
// and checked against the lock file, so that a package for any target can be made anywhere.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readLock } from '../collect-licences.ts';
import { repositoryRoot } from '../layers.ts';
import type { Target } from './stage.ts';

const FETCH_MS = 5 * 60_000;
const cache = join(repositoryRoot, 'node_modules', '.cache', 'ebb-node');

/**
 * Where a target's Node is, and its place in the package. npm has no Node 24 for some targets (macOS, Windows
 * on ARM): a person must then put it where npm would have.
 */
export function nodeOf({ platform, arch }: Target): { readonly from: string; readonly to: string } {
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
  const to = `bin/${platform === 'win32' ? 'node.exe' : 'node'}`;
  const installed = join(repositoryRoot, 'node_modules', name, to);
  if (existsSync(installed)) return { from: installed, to };
  const { version, integrity } = readLock()[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined)
    throw new Error(
      `npm has no Node 24 for ${platform} ${arch}. Put that system's own at node_modules/${name}/${to}.`,
    );
  const folder = join(cache, `${name}-${version}`);
  if (!existsSync(join(folder, 'package', to))) fetchInto(folder, `${name}@${version}`, integrity);
  return { from: join(folder, 'package', to), to };
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: FETCH_MS });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

function fetchInto(folder: string, what: string, integrity: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('npm', ['pack', what, '--silent'], folder);
  const [packed = ''] = readdirSync(folder);
  const [algorithm = '', expected] = integrity.split('-');
  const hash = createHash(algorithm)
    .update(readFileSync(join(folder, packed)))
    .digest('base64');
  if (hash !== expected) {
    rmSync(folder, { recursive: true });
    throw new Error(`${what} is not what the lock file says.`);
  }
  run('tar', ['-xzf', packed], folder);
  rmSync(join(folder, packed));
}
