// Peers that look at what guests need: Hyper-V's Dynamic Memory, Qubes' qmemman, ESX's shares with an idle
// tax. Their signals are as good as they can be: ESX looks from outside, the others believe their guests.
import { KERNEL } from '../guest.ts';
import {
  clamp,
  every,
  freeMib,
  maxOf,
  minOf,
  type Peer,
  type PeerGuest,
  type PeerWorld,
  sumOf,
  told,
} from './host.ts';

/** Asks for releases at once, and grants from what is free then. */
function apply(world: PeerWorld, goals: ReadonlyMap<PeerGuest, number>, keepMib: number): void {
  for (const [guest, goal] of goals) if (goal < guest.target) guest.ask(goal);
  let free =
    freeMib(world) - keepMib - sumOf(world.guests, guest => Math.max(0, guest.target - guest.actual));
  for (const [guest, goal] of goals) {
    const part = Math.min(goal - guest.target, free);
    if (part < 1) continue;
    guest.ask(guest.target + part);
    free -= part;
  }
}

/** What a guest reports as used. A liar reports three times that; a silent guest keeps what it has. */
function committed(guest: PeerGuest): number {
  const used = guest.resident + guest.swapped + guest.unmet + KERNEL;
  if (guest.setup.kind === 'silent') return guest.target / 1.2;
  return guest.setup.kind === 'lying' ? 3 * used : used;
}

/** What a guest of this size reports on top of that. */
function floorOf(mib: number): number {
  if (mib < 512) return 40 + mib / 4;
  if (mib < 2048) return 104 + mib / 8;
  return mib < 8192 ? 232 + mib / 16 : 488 + mib / 32;
}

const HYPERV_RESERVE = 384;

/**
 * Every second: demand and a fifth more. A guest that has more than that gives only when another is short.
 */
export const hyperv: Peer = every(1, world => () => {
  const { guests } = world;
  const total = freeMib(world) + sumOf(guests, guest => guest.actual) - HYPERV_RESERVE;
  const demand = (guest: PeerGuest): number =>
    clamp(committed(guest) + floorOf(guest.actual), minOf(guest), maxOf(guest));
  const buffered = (guest: PeerGuest): number => clamp(demand(guest) * 1.2, minOf(guest), maxOf(guest));
  let goals = new Map(guests.map(guest => [guest, buffered(guest)]));
  const sum = (): number => [...goals.values()].reduce((all, goal) => all + goal, 0);
  if (sum() > total) goals = new Map(guests.map(guest => [guest, demand(guest)]));
  if (sum() > total) {
    const above = [...goals].reduce((all, [guest, goal]) => all + goal - minOf(guest), 0);
    const cut = Math.min(1, (sum() - total) / Math.max(1, above));
    goals = new Map([...goals].map(([guest, goal]) => [guest, goal - (goal - minOf(guest)) * cut]));
  }
  const missing =
    sumOf(guests, guest => Math.max(0, (goals.get(guest) ?? 0) - guest.target)) -
    Math.max(0, freeMib(world) - HYPERV_RESERVE);
  if (missing <= 0) {
    for (const [guest, goal] of goals) goals.set(guest, Math.max(goal, guest.target));
  } else {
    const over = sumOf(guests, guest => Math.max(0, guest.target - (goals.get(guest) ?? 0)));
    const share = Math.min(1, missing / Math.max(1, over));
    for (const [guest, goal] of goals)
      if (goal < guest.target) goals.set(guest, guest.target - (guest.target - goal) * share);
  }
  apply(world, goals, HYPERV_RESERVE);
});

const QUBES_KEEP = 50;
const QUBES_EVENT = 30;
const QUBES_WORTH = 150;
const QUBES_NEED = 15;

/** 1.3 times what is used; donors first. `isFixed`: what donors yield is added, as was surely meant. */
export const qubes = (isFixed: boolean): Peer =>
  every(0.5, world => {
    const reported = new Map<PeerGuest, number>();
    const usedOf = (guest: PeerGuest): number => {
      const { freeMib: free, cacheMib } = told(guest);
      return Math.max(0, guest.actual - free - cacheMib + guest.swapped);
    };
    return () => {
      let isEvent = false;
      for (const guest of world.guests) {
        const used = usedOf(guest);
        if (Math.abs(used - (reported.get(guest) ?? 0)) <= QUBES_EVENT) continue;
        reported.set(guest, used);
        isEvent = true;
      }
      if (!isEvent && world.nowS % 5 !== 0) return;
      qubesRound(
        world,
        guest => clamp(1.3 * (reported.get(guest) ?? 0), Math.max(200, minOf(guest)), maxOf(guest)),
        isFixed,
      );
    };
  });

function qubesRound(world: PeerWorld, pref: (guest: PeerGuest) => number, isFixed: boolean): void {
  const { guests } = world;
  const held = (guest: PeerGuest): number => Math.max(guest.actual, guest.target);
  const free = freeMib(world) / 1.00781 - sumOf(guests, guest => Math.max(0, guest.target - guest.actual));
  const available = free - QUBES_KEEP - sumOf(guests, guest => pref(guest) - held(guest));
  const prefs = sumOf(guests, pref);
  const goals = new Map<PeerGuest, number>();
  if (available > 0) {
    for (const guest of guests)
      goals.set(guest, Math.min(maxOf(guest), 0.999 * (pref(guest) + (available * pref(guest)) / prefs)));
  } else {
    const yielded = sumOf(guests, guest => Math.max(0, held(guest) - pref(guest)));
    const squeezedMib = free - QUBES_KEEP + (isFixed ? yielded : -yielded);
    const needy = guests.filter(guest => pref(guest) > held(guest));
    const needyPrefs = Math.max(1, sumOf(needy, pref));
    for (const guest of guests) {
      if (held(guest) - pref(guest) >= 10) goals.set(guest, pref(guest));
      else if (needy.includes(guest) && squeezedMib > 0)
        goals.set(guest, Math.min(pref(guest), held(guest) + (squeezedMib * pref(guest)) / needyPrefs));
    }
  }
  const moved = [...goals].reduce((sum, [guest, goal]) => sum + Math.abs(goal - held(guest)), 0);
  const isNeed = [...goals].some(
    ([guest, goal]) => pref(guest) > held(guest) && goal - held(guest) > QUBES_NEED,
  );
  if (free >= 35 && !isNeed && moved + Math.abs(free - QUBES_KEEP) <= QUBES_WORTH) return;
  apply(world, goals, QUBES_KEEP - 5);
}

const ESX_STEP = 16;
const IDLE_COST = 1 / (1 - 0.75);

/**
 * Pages by shares, an idle page four times as dear; the poorest payer gives. Samples 100 pages every 30 s.
 */
export const esx: Peer = every(1, world => {
  const state = new Map<PeerGuest, { slow: number; fast: number; f: number }>();
  const sample = (guest: PeerGuest): void => {
    const active = clamp((guest.resident + KERNEL) / Math.max(1, guest.actual), 0, 1);
    let touched = 0;
    for (let page = 0; page < 100; page++) if (world.random.below(10_000) < active * 10_000) touched++;
    const seen = touched / 100;
    const before = state.get(guest) ?? { slow: seen, fast: seen, f: seen };
    const slow = before.slow + 0.2 * (seen - before.slow);
    const fast = before.fast + 0.6 * (seen - before.fast);
    state.set(guest, { slow, fast, f: Math.max(slow, fast, seen) });
  };
  return () => {
    const { guests, nowS, scenario } = world;
    // Samples before the period ends where it must, so that what is touched now is seen now.
    for (const guest of guests) if (nowS % 30 === 0 || !state.has(guest) || guest.swapped > 1) sample(guest);
    const free = freeMib(world) / scenario.totalMib;
    const isShort = guests.some(guest => guest.swapped > 16 && guest.target < maxOf(guest));
    if (free >= 0.04 && !isShort && nowS % 30 !== 0) return;
    const held = new Map(guests.map(guest => [guest, maxOf(guest)]));
    const payment = (guest: PeerGuest): number => {
      const pages = held.get(guest) ?? 1;
      const f = Math.min(1, ((state.get(guest)?.f ?? 1) * guest.actual) / pages);
      return 1 / (pages * (f + IDLE_COST * (1 - f)));
    };
    const most = freeMib(world) + sumOf(guests, guest => guest.actual) - 0.06 * scenario.totalMib;
    let sum = sumOf(guests, guest => held.get(guest) ?? 0);
    while (sum > most) {
      const open = guests.filter(guest => (held.get(guest) ?? 0) > minOf(guest));
      const [first, ...rest] = open;
      if (first === undefined) break;
      const poorest = rest.reduce((worst, guest) => (payment(guest) < payment(worst) ? guest : worst), first);
      held.set(poorest, (held.get(poorest) ?? 0) - ESX_STEP);
      sum -= ESX_STEP;
    }
    apply(world, held, 0.02 * scenario.totalMib);
  };
});
