// Drives work in a simulated world: what is under way ends when the driver says so.
import type { SimWorld } from './device.ts';
import { Violation } from './judge.ts';

/** Runs all that waits for nothing. nextTick comes when no microtask is left, and asks no kernel. */
export const microtasks = (): Promise<void> => new Promise(resolve => process.nextTick(resolve));

/** Drives until the work ends or the world dies; answers whether the work ended. */
export async function pump(world: SimWorld, work: Promise<unknown>): Promise<boolean> {
  let ended = false;
  let failure: { readonly cause: unknown } | null = null;
  work.then(
    () => {
      ended = true;
    },
    (cause: unknown) => {
      failure = { cause };
    },
  );
  for (let idle = 0; ; ) {
    await microtasks();
    if (world.isDead) return false;
    if (failure !== null) throw (failure as { cause: unknown }).cause;
    if (ended) return true;
    if (world.waiting > 0) world.advance();
    else if (++idle > 3) throw new Violation('nothing is under way, yet it does not end');
  }
}
