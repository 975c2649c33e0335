// Every point of a disk as programs that share nothing with us read its files: 7-Zip and libvhdi the whole chain, qemu-img
// the root, which is all it can read (T13). After any scenario they must agree with what the point is known to hold.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PointId } from '../../shared/ids.ts';

export interface KnownPoint {
  readonly pointId: PointId;
  readonly sha256: string;
}

/** bootstrap brings these: one that is missing is a failure, not a reason to look away. */
function tool(name: string): string {
  const found = (process.env.PATH ?? '').split(':').some(folder => existsSync(join(folder, name)));
  if (!found) throw new Error(`${name} is not on PATH: npm test brings it, see build/bootstrap.mjs`);
  return name;
}

export interface Strangers {
  /**
   * Of the 8 and 16 KiB blocks of the simulations libvhdi 20210425 takes some of an image's own units from its parent; of
   * 2 MiB blocks (T12) it reads all of them.
   */
  readonly hasTinyBlocks?: boolean;
  /** The root is nobody's point: what it holds is not known. */
  readonly isRootNobodys?: boolean;
}

/** Answers who read what: "7-Zip 4, libvhdi 4, qemu-img 1". */
export async function expectStrangersAgree(
  folder: string,
  points: readonly KnownPoint[],
  { hasTinyBlocks = false, isRootNobodys = false }: Strangers = {},
): Promise<string> {
  const counts = { zip: 0, vhdi: 0, qemu: 0 };
  for (const { pointId, sha256 } of points) {
    const path = join(folder, `${pointId}.vhd`);
    expect(await sevenZip(path), `7-Zip: ${pointId}`).toBe(sha256);
    counts.zip++;
    const mounted = hasTinyBlocks ? null : await vhdimount(path);
    if (mounted !== null) expect(mounted, `libvhdi: ${pointId}`).toBe(sha256);
    if (mounted !== null) counts.vhdi++;
    if (readFileSync(path).readUInt32BE(60) !== 3) continue;
    expect(await qemu(path), `qemu-img: ${pointId}`).toBe(sha256);
    counts.qemu++;
  }
  // A stranger that looked at nothing agrees with everything.
  if (hasFuse() && !hasTinyBlocks) expect(counts.vhdi, 'read by libvhdi').toBe(points.length);
  expect(counts.qemu, 'roots, read by qemu-img').toBe(isRootNobodys ? 0 : 1);
  return `7-Zip ${counts.zip}, libvhdi ${counts.vhdi}, qemu-img ${counts.qemu} of ${points.length} points`;
}

async function hashOf(stream: NodeJS.ReadableStream): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of stream) hash.update(piece as Buffer);
  return hash.digest('hex');
}

async function sevenZip(path: string): Promise<string> {
  const child = spawn(tool('7z'), ['x', '-tVHD', '-so', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    complaint += text.toString();
  });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  const sha256 = await hashOf(child.stdout);
  expect(await ended, complaint).toBe(0);
  return sha256;
}

async function qemu(path: string): Promise<string> {
  const raw = join(mkdtempSync(join(tmpdir(), 'ebb-q-')), 'raw');
  const ran = spawnSync(tool('qemu-img'), ['convert', '-f', 'vpc', '-O', 'raw', path, raw]);
  expect(ran.status, ran.stderr?.toString()).toBe(0);
  const sha256 = await hashOf(createReadStream(raw));
  rmSync(join(raw, '..'), { recursive: true });
  return sha256;
}

/** The device opens, and its user may mount. */
function hasFuse(): boolean {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
  } catch {
    return false;
  }
  const SYS_ADMIN = 1n << 21n;
  const mask = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & SYS_ADMIN) !== 0n;
}

let saidWhy = false;

/** Null where this host lets nobody mount by FUSE: that is not ours to bring, and said once. */
async function vhdimount(path: string): Promise<string | null> {
  const at = mkdtempSync(join(tmpdir(), 'ebb-m-'));
  try {
    const ran = spawnSync(tool('vhdimount'), [path, at], { encoding: 'utf8' });
    const why = ran.stdout + ran.stderr;
    if (ran.status !== 0 && (/fuse/i.test(why) || !existsSync('/dev/fuse'))) {
      if (!saidWhy) console.info(`vhdimount is not asked: no FUSE here: ${why.trim().split('\n').at(-1)}`);
      saidWhy = true;
      return null;
    }
    expect(ran.status, why).toBe(0);
    // One file per image of the chain, the last of them itself.
    const last = readdirSync(at).length;
    return await hashOf(createReadStream(join(at, `vhdi${last}`)));
  } finally {
    // What was read may be open for a moment more.
    spawnSync('umount', ['-l', at]);
    rmSync(at, { recursive: true, force: true });
  }
}
