// Our own policies in a scenario: the real manager over simulated guests and a simulated clock.
import { memoryJournalInMemory } from '../../../electron/control/memory/journal.ts';
import type { HostMemory } from '../../../shared/memory.ts';
import { SimClock } from './clock.ts';
import { Controller } from './controller.ts';
import type { SimGuest } from './guest.ts';
import { heldMib, overheadMib } from './peers/host.ts';
import { type Policy, STEP_S, type World } from './world.ts';

const MIB = 1024;
const RESERVE_MIB = 1024;

/** M2 and M3, as the judge sees them at every command. */
function judge(world: World, guest: SimGuest, targetMib: number, blame: (what: string) => void): void {
  const { spec } = guest.setup;
  const before = guest.promisedMib;
  if (targetMib < spec.minKib / MIB && Math.abs(targetMib - guest.actual) > 16)
    blame(`M3 ${spec.name} asked for ${targetMib}, below its minimum`);
  if (targetMib > spec.maxKib / MIB + 1) blame(`M3 ${spec.name} asked for ${targetMib}, above its maximum`);
  if (targetMib <= before + 1) return;
  const others = world.guests.reduce(
    (sum, one) => sum + (one === guest ? targetMib : one.promisedMib) + overheadMib(one),
    0,
  );
  const over = others + world.useMib - world.scenario.totalMib;
  if (over > 1)
    blame(
      `M2 ${spec.name} given ${Math.round(targetMib - before)} MiB, ${Math.round(over)} more than there is`,
    );
}

export function ours(mode: HostMemory['mode'], blame: (what: string) => void): Policy {
  return world => {
    const clock = new SimClock();
    const journal = memoryJournalInMemory();
    const controller = new Controller({
      clock,
      random: world.random,
      journal,
      host: () => ({
        totalKib: world.scenario.totalMib * MIB,
        availableKib: Math.max(0, Math.round((world.scenario.totalMib - heldMib(world)) * MIB)),
        ownKib: 0,
        stalled: null,
      }),
      policy: { mode, reserveKib: RESERVE_MIB * MIB },
      switchOff: {},
      sent: (guest, targetMib) =>
        judge(world, guest, targetMib, what =>
          blame(`${world.scenario.name} ${mode} ${world.nowS} s: ${what}`),
        ),
      heard: (guest, targetMib) => guest.ask(targetMib),
      died: () => undefined,
      log: line => {
        if (line.includes('a round failed')) blame(`M5 ${line}`);
      },
    });
    for (const guest of world.guests) {
      journal.putTarget(guest.id, Math.round(guest.target * MIB));
      controller.manager.adopt(
        guest.setup.spec,
        guest.setup.bootMib * MIB,
        controller.port({ guest, hungUntilMs: 0, latencyMs: 10 }),
      );
    }
    controller.manager.begin();
    return { step: () => clock.advance(STEP_S * 1000), end: () => controller.die() };
  };
}
