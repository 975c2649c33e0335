// What a VM that runs still waits for: its first screen, then its guest. Told, never waited for: a start is over before. Pure.
import type { Coming } from '../../../shared/vm.ts';
import { ppmOf } from './ppm.ts';

export interface Seen {
  readonly hasScreen: boolean;
  /** An agent, or the balloon's driver, answers. */
  readonly isUp: boolean;
}

/** Firmware draws in a second or two; slow mode takes ten times as long. */
export const SCREEN_LIMIT_MS = 30_000;
/** A desktop in slow mode. */
export const GUEST_LIMIT_MS = 300_000;

/** Null: it waits for nothing more. */
export function comingOf({ hasScreen, isUp }: Seen, runsForMs: number): Coming | null {
  if (isUp) return null;
  if (runsForMs >= GUEST_LIMIT_MS) return 'silent';
  if (hasScreen) return 'guest';
  return runsForMs < SCREEN_LIMIT_MS ? 'screen' : 'blank';
}

/** Of 640 × 480: where QEMU itself writes, before a guest has a display, that it has none. */
const QEMUS_OWN = { width: 640, height: 480, fromRow: 224, toRow: 240 };

/** Whether a screen dump (PPM) shows anything: more than one colour, and not by QEMU itself. False where it is no picture. */
export function showsSomething(picture: Uint8Array): boolean {
  const ppm = ppmOf(picture);
  if (ppm === null) return false;
  const { width, height, pixels } = ppm;
  const rowBytes = width * 3;
  const isOwn = width === QEMUS_OWN.width && height === QEMUS_OWN.height;
  for (let row = 0; row < height; row += 1) {
    if (isOwn && row >= QEMUS_OWN.fromRow && row < QEMUS_OWN.toRow) continue;
    for (let at = row * rowBytes; at < (row + 1) * rowBytes; at += 1)
      if (pixels[at] !== pixels[at % 3]) return true;
  }
  return false;
}
