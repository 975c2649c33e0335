// Peers that do not look at what guests need: a fixed split, xapi's squeezed, Proxmox VE, oVirt's MoM.
import {
  clamp,
  every,
  freeMib,
  hostFreeShare,
  maxOf,
  minOf,
  type Peer,
  type PeerGuest,
  type PeerWorld,
  sumOf,
  told,
} from './host.ts';

/** Everyone keeps the fair part it began with. */
export const fixed: Peer = () => ({ step: () => undefined });

const SQUEEZED_FREE = 72;
const SQUEEZED_NEAR = 4;

/** All at one place in their ranges. Frees before it gives; a guest stuck for 5 s sits this run out. */
export const squeezed: Peer = every(1, world => {
  const moved = new Map<PeerGuest, { actual: number; atS: number }>();
  let isRunning = false;
  const out = new Set<PeerGuest>();
  return () => {
    const { guests, nowS } = world;
    if (nowS % 10 === 0) {
      isRunning = true;
      out.clear();
      for (const guest of guests) moved.set(guest, { actual: guest.actual, atS: nowS });
    }
    if (!isRunning) return;
    for (const guest of guests) {
      const seen = moved.get(guest);
      const isThere = Math.abs(guest.actual - guest.target) <= SQUEEZED_NEAR;
      if (seen === undefined || isThere || Math.abs(guest.actual - seen.actual) > 0.01)
        moved.set(guest, { actual: guest.actual, atS: nowS });
      else if (nowS - seen.atS >= 5) out.add(guest);
    }
    const active = guests.filter(guest => !out.has(guest));
    const surplus = Math.max(
      0,
      freeMib(world) + sumOf(active, guest => Math.max(0, guest.actual - minOf(guest))) - SQUEEZED_FREE,
    );
    const range = sumOf(active, guest => maxOf(guest) - minOf(guest));
    const gamma = range === 0 ? 0 : clamp(surplus / range, 0, 1);
    const goals = new Map(
      active.map(guest => [guest, Math.floor(minOf(guest) + gamma * (maxOf(guest) - minOf(guest)))]),
    );
    const freeing = active.filter(guest => (goals.get(guest) ?? 0) < guest.actual - SQUEEZED_NEAR);
    for (const guest of freeing.length > 0 ? freeing : active) guest.ask(goals.get(guest) ?? guest.target);
    for (const guest of out)
      guest.ask(clamp(Math.min(guest.target, guest.actual), minOf(guest), maxOf(guest)));
    isRunning = active.some(guest => Math.abs(guest.actual - (goals.get(guest) ?? 0)) > SQUEEZED_NEAR);
  };
});

const PVE_STEP = 100;

/** One pass over a list: each towards its share, by 100 MiB at most, until nothing is left to move. */
function pvePass(list: readonly PeerGuest[], bytesMib: number, budget: Map<PeerGuest, number>): number {
  let left = bytesMib;
  let open = [...list];
  while (Math.abs(left) > 1 && open.length > 0) {
    const allocated = sumOf(open, guest => guest.target - minOf(guest)) + left;
    const share = allocated / open.length;
    const before = left;
    const still: PeerGuest[] = [];
    for (const guest of open) {
      const desired = clamp(minOf(guest) + share, minOf(guest), maxOf(guest));
      const room = budget.get(guest) ?? PVE_STEP;
      let move = clamp(desired - guest.target, -room, room);
      if (left < 0 && move > 0) move = 0;
      if (Math.abs(move) < 1) continue;
      guest.ask(guest.target + move);
      budget.set(guest, room - Math.abs(move));
      left -= move;
      still.push(guest);
    }
    if (Math.abs(before - left) < 1) break;
    open = still;
  }
  return bytesMib - left;
}

/** Keeps 80 % of the host used; every 10 s, 100 MiB for each guest. */
export const proxmox: Peer = every(10, world => () => {
  const goal = 0.8 * world.scenario.totalMib - (1 - hostFreeShare(world)) * world.scenario.totalMib;
  if (Math.abs(goal) <= 10) return;
  const hasEnough = (guest: PeerGuest): boolean =>
    told(guest).freeMib > 0.25 * minOf(guest) && guest.actual >= minOf(guest);
  const budget = new Map<PeerGuest, number>();
  const first = world.guests.filter(guest => hasEnough(guest) === goal < 0);
  if (pvePass(first, goal, budget) === 0) pvePass(world.guests, goal, budget);
});

/** Five percent at a time, by how free host and guest are. `isVdsm`: grows as carefully as it shrinks. */
export const mom = (isVdsm: boolean): Peer =>
  every(5, world => {
    const history: number[] = [];
    const unused = new Map<PeerGuest, number[]>();
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    const keep = (values: number[], value: number): void => {
      values.push(value);
      if (values.length > 10) values.shift();
    };
    const turn = (at: PeerWorld): void => {
      const free = mean(history);
      const isShort = free < 0.2;
      const careful = free <= 0.05 ? free - 0.05 : Math.min(0.2, free);
      const part = isShort || isVdsm ? careful : 0.2;
      for (const guest of at.guests) {
        const now = guest.target;
        const used = Math.max(0, guest.actual - mean(unused.get(guest) ?? []));
        const floor = used + part * now;
        const next = isShort
          ? Math.max(0.95 * now, minOf(guest), floor)
          : Math.min(maxOf(guest), Math.max(1.05 * now, floor));
        const isWay = isShort ? next <= now : true;
        if (isWay && Math.abs(next - now) > 0.0025 * now) guest.ask(Math.max(minOf(guest), next));
      }
    };
    return () => {
      keep(history, hostFreeShare(world));
      for (const guest of world.guests) {
        const values = unused.get(guest) ?? [];
        keep(values, told(guest).freeMib);
        unused.set(guest, values);
      }
      if (world.nowS % 10 === 0) turn(world);
    };
  });
