// What a running VM has yet to show: its first screen, then its guest. No start waits for it. Pure.
import type { Coming } from '../../../shared/vm.ts';
import { ppmOf } from './ppm.ts';

export interface Seen {
  readonly hasScreen: boolean;
  /** An agent, or the balloon's driver, answers. */
  readonly isUp: boolean;
}

/** Firmware draws in a second or two; slow mode takes ten times as long. */
export const SCREEN_LIMIT_MS = 30_000;
/** As long as a desktop may take in slow mode. */
export const GUEST_LIMIT_MS = 300_000;

/** Null: the VM is up. */
export function comingOf({ hasScreen, isUp }: Seen, runsForMs: number): Coming | null {
  if (isUp) return null;
  if (runsForMs >= GUEST_LIMIT_MS) return 'silent';
  if (hasScreen) return 'guest';
  return runsForMs < SCREEN_LIMIT_MS ? 'screen' : 'blank';
}

/** Rows of a 640 × 480 screen in which QEMU itself writes that the guest has no display yet. */
const QEMUS_OWN = { width: 640, height: 480, fromRow: 224, toRow: 240 };

/** Whether a screen dump (PPM) shows more than one colour beside QEMU's own text. False for no picture. */
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
