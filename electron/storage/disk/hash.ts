// SHA-256 of everything a volume reads as, letting the guest in between.
import { createHash } from 'node:crypto';
import type { Volume } from '../volume.ts';

const PIECE_BYTES = 2 ** 20;

export async function hashVolume(
  volume: Volume,
  turn: () => Promise<void>,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < volume.sizeBytes; at += PIECE_BYTES) {
    signal?.throwIfAborted();
    const piece = new Uint8Array(Math.min(PIECE_BYTES, volume.sizeBytes - at));
    volume.read(piece, at);
    hash.update(piece);
    await turn();
  }
  return hash.digest('hex');
}
