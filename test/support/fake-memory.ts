// The memory methods of the contract over the make-believe world. Development only.
import type { Contract } from '../../shared/rpc/contract.ts';
import type { Handlers } from '../../shared/rpc/server.ts';
import type { FakeControl } from './fake-service.ts';
import { hostOf } from './fake-world.ts';

export function memoryHandlers(control: FakeControl) {
  const { world, ranges } = control;
  return {
    'memory.host': () => hostOf(world),
    'memory.show': ({ vmId }) => control.vm(vmId).memory,
    'memory.set-range': async ({ vmId, ...range }) => {
      // Slow on purpose: the slider has to hold its draft meanwhile.
      await new Promise(resolve => setTimeout(resolve, 250));
      ranges.set(vmId, range);
      return control.vm(vmId).memory;
    },
    'memory.try-range': ({ vmId, seconds, ...range }) => {
      ranges.try(vmId, range, seconds * 1000);
      return ranges.undoOf(vmId);
    },
    'memory.keep-range': ({ vmId }) => {
      ranges.keep(vmId);
      return ranges.undoOf(vmId);
    },
    'memory.range-undo': ({ vmId }) => ranges.undoOf(vmId),
    'memory.undo-range': ({ vmId }) => {
      ranges.undo(vmId);
      return control.vm(vmId).memory;
    },
    'memory.set-balance': ({ vmId, balanced, weight }) => {
      const vm = control.vm(vmId);
      vm.memory = { ...vm.memory, balanced, weight };
      control.publish();
      return vm.memory;
    },
    'memory.set-policy': ({ mode, reserveKib, budgetKib, capKib }) => {
      world.host = {
        ...world.host,
        mode: mode ?? world.host.mode,
        reserveKib: reserveKib ?? world.host.reserveKib,
        budgetKib: budgetKib === undefined ? world.host.budgetKib : budgetKib,
        capKib: capKib === undefined ? world.host.capKib : capKib,
      };
      control.publish();
      return hostOf(world);
    },
    'app.power': () => ({}),
    'app.updates': () => ({ mayLook: true, mayInstall: true, waitsFor: [] }),
    'memory.focus': () => ({}),
    'memory.free': ({ kib, seconds }) => control.free(kib, seconds),
    'memory.replay': () => ({ checked: world.ledger.length, differing: [] }),
    'memory.ledger': ({ limit, vmId, beforeSeq }) => ({
      entries: world.ledger
        .filter(
          ({ seq, moves }) =>
            seq < (beforeSeq ?? Number.MAX_SAFE_INTEGER) &&
            (vmId === null || moves.some(move => move.vmId === vmId)),
        )
        .slice(0, limit),
    }),
    'memory.history': ({ vmId, sinceMs }) => {
      const { samples } = control.vm(vmId);
      const last = samples.at(-1);
      const spanMs = Date.now() - sinceMs;
      if (last === undefined || spanMs <= 11 * 60_000) return { samples };
      // Coarse, and switched off in the middle.
      const figures = Array.from({ length: 240 }, (_, index) => {
        const wave = 1 + 0.25 * Math.sin(index / 17) + 0.1 * Math.sin(index / 5);
        const isOff = index > 90 && index < 120;
        const figure = (kib: number | null): number | null =>
          kib === null || isOff ? null : Math.round(kib * wave);
        return {
          at: Math.round(sinceMs + (spanMs * (index + 1)) / 240),
          targetKib: isOff ? null : last.targetKib,
          actualKib: figure(last.actualKib),
          usedKib: figure(last.usedKib),
        };
      });
      return { samples: figures };
    },
  } satisfies Partial<Handlers<Contract>>;
}
