// The least memory that must move so that everyone always has what it needs, for a policy that knows the
// future: nobody gets memory before it needs it, and the memory given up is that which is needed again last
// (Belady). Balloons are ideal.
import { KERNEL } from './guest.ts';
import type { World } from './world.ts';

const PIECE_MIB = 16;

/** How many pieces each VM needs in each second. */
function needsOf({ scenario, guests }: World, seconds: number): number[][] {
  return scenario.vms.map((vm, index) => {
    const overMib = guests[index]?.setup.bootMib ?? vm.maxMib;
    return Array.from({ length: seconds }, (_, at) => {
      const needMib = Math.min(overMib, Math.max(vm.minMib, vm.load(at).demandMib + KERNEL));
      return Math.ceil(needMib / PIECE_MIB);
    });
  });
}

/** When the last piece that it has is needed again. */
function neededAgain(need: readonly number[], held: number, at: number): number {
  const later = need.findIndex((pieces, second) => second > at && pieces >= held);
  return later < 0 ? Number.POSITIVE_INFINITY : later;
}

/** GiB moved, taken and given; null where the needs cannot fit. */
export function leastMovedGib(world: World, seconds: number): number | null {
  const { scenario, guests } = world;
  const needs = needsOf(world, seconds);
  const held = guests.map(guest => Math.ceil(guest.actual / PIECE_MIB));
  const overheadMib = guests.reduce((sum, guest) => sum + guest.setup.overheadMib, 0);
  let moved = 0;
  for (let at = 0; at < seconds; at++) {
    for (const [index, need] of needs.entries()) {
      const missing = Math.max(0, (need[at] ?? 0) - (held[index] ?? 0));
      held[index] = (held[index] ?? 0) + missing;
      moved += missing;
    }
    const pieces = Math.floor((scenario.totalMib - scenario.hostMib(at) - overheadMib) / PIECE_MIB);
    for (let over = held.reduce((sum, has) => sum + has, 0) - pieces; over > 0; over--) {
      const spare = [...held.keys()].filter(index => (held[index] ?? 0) > (needs[index]?.[at] ?? 0));
      const when = (index: number): number => neededAgain(needs[index] ?? [], held[index] ?? 0, at);
      const [first, ...rest] = spare;
      if (first === undefined) return null;
      const giver = rest.reduce((best, index) => (when(index) > when(best) ? index : best), first);
      held[giver] = (held[giver] ?? 0) - 1;
      moved++;
    }
  }
  return (moved * PIECE_MIB) / 1024;
}
