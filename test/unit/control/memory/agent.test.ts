// What an agent inside a guest says of its memory, beside the balloon's statistics: believed as far as the host allows (M4).
import { describe, expect, it } from 'vitest';
import { TrackedVm } from '../../../../electron/control/memory/tracked-vm.ts';
import type { AgentFigures, GuestStats } from '../../../../electron/control/ports.ts';
import { Guest, MIB, specOf, TestClock } from '../../../support/memory-world.ts';

const BOOT = 1024 * MIB;
const clock = new TestClock();

interface Seen {
  readonly agent?: Partial<AgentFigures> | null;
  readonly residentMib?: number;
  /** What lies in swap by the balloon's counters. */
  readonly wentOutKib?: number;
  readonly hasStats?: boolean;
  readonly freeMib?: number;
}

/** A guest that uses 600 of its 1024 MiB, seen twice; what is made of it at the end. */
function wantsOf({ agent = null, residentMib = 1024, wentOutKib = 0, hasStats = true, freeMib = 20 }: Seen) {
  const spec = specOf(1, 256, 1024);
  const guest = new Guest(spec.id, BOOT, clock);
  const vm = new TrackedVm({
    spec,
    bootKib: BOOT,
    guest,
    targetKib: BOOT,
    isNew: false,
    notedKib: 200 * MIB,
    switchOff: {},
    nowMs: 0,
  });
  const statsAt = (ms: number, swapOutKib: number): GuestStats => ({
    totalKib: BOOT,
    freeKib: freeMib * MIB,
    availableKib: 424 * MIB,
    cachesKib: 0,
    swapInKib: 0,
    swapOutKib,
    majorFaults: 0,
    updatedAtMs: 1_700_000_000_000 + ms,
  });
  for (const [ms, swapOutKib] of [
    [20_000, 0],
    [21_000, wentOutKib],
  ] as const)
    vm.observe(
      {
        actualKib: BOOT,
        stats: hasStats ? statsAt(ms, swapOutKib) : null,
        ...(agent === null ? {} : { agent: { stalled: null, swappedKib: null, atMs: ms, ...agent } }),
        driverReady: true,
        residentKib: residentMib * MIB,
        paused: false,
      },
      { monotonicMs: ms, wallMs: 1_700_000_000_000 + ms },
    );
  return vm.model(21_000, null).wants;
}

describe('an agent inside a guest', () => {
  it('makes it urgent while its programs wait for memory more than a tenth of the time', () => {
    expect(wantsOf({ agent: null })?.isUrgent).toBe(false);
    expect(wantsOf({ agent: { stalled: 10 } })?.isUrgent).toBe(false);
    expect(wantsOf({ agent: { stalled: 10.5 } })?.isUrgent).toBe(true);
  });

  it('also where the balloon tells nothing', () => {
    expect(wantsOf({ hasStats: false })?.isUrgent).toBe(false);
    expect(wantsOf({ hasStats: false, agent: { stalled: 40 } })?.isUrgent).toBe(true);
  });

  it('M4: what was heard long ago is not believed, and neither is want where the host saw memory never touched', () => {
    expect(wantsOf({ agent: { stalled: 99, atMs: 11_000 } })?.isUrgent).toBe(true);
    expect(wantsOf({ agent: { stalled: 99, atMs: 10_999 } })?.isUrgent).toBe(false);
    expect(wantsOf({ agent: { stalled: 99 }, residentMib: 900 })?.isUrgent).toBe(false);
  });

  it('M4: who has memory free does not wait for lack of it: its balloon may be at work', () => {
    expect(wantsOf({ agent: { stalled: 99 }, freeMib: 102 })?.isUrgent).toBe(true);
    expect(wantsOf({ agent: { stalled: 99 }, freeMib: 103 })?.isUrgent).toBe(false);
  });

  it('knows what of its swap was freed there; M4: it may say less lies there than went out, never more', () => {
    const workingMib = (seen: Seen): number => Math.round((wantsOf(seen)?.workingKib ?? 0) / MIB);
    const none = workingMib({});
    const out = workingMib({ wentOutKib: 100 * MIB });
    expect(out).toBeGreaterThan(none + 90);
    expect(workingMib({ wentOutKib: 100 * MIB, agent: { swappedKib: 0 } })).toBe(none);
    expect(workingMib({ wentOutKib: 100 * MIB, agent: { swappedKib: 2 ** 39 } })).toBe(out);
    expect(workingMib({ wentOutKib: 100 * MIB, agent: { swappedKib: 0, atMs: 1 } })).toBe(out);
  });
});
