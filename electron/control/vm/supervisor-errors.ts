// What a supervisor says when it cannot go on: what happened, what is safe, what to do. Pure.
import type { ErrorBody } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import type { VmPhase } from '../../../shared/vm.ts';
import { MAY } from '../../../shared/vm-phase.ts';

/** QEMU's own last words, with what we made of them. */
export function qemuDied(what: string, log: string): ErrorBody {
  const words = log.trim().split('\n').slice(-4).join(' ').slice(0, 800);
  return {
    code: 'vm.start-failed',
    what: `${what} ${words === '' ? 'It left no message.' : `It said: ${words}`}`,
    safe: "The VM's disks and points are untouched.",
    todo: "Run `ebb doctor`; the whole log is qemu.log in the VM's folder.",
  };
}

export const diedUnasked = (log: string): ErrorBody => ({
  ...qemuDied('QEMU ended without being asked to.', log),
  code: 'vm.died',
});

export const bodyOf = (cause: unknown): ErrorBody =>
  cause instanceof Fault
    ? cause.body
    : {
        code: 'internal',
        what: `Starting failed: ${String(cause).slice(0, 500)}`,
        safe: "The VM's disks are untouched.",
        todo: 'Try again; the log has the details.',
      };

export const qemuMissing = (): ErrorBody => ({
  code: 'qemu.missing',
  what: "QEMU (qemu-system-x86_64) is not on this computer's PATH.",
  safe: 'The VM and its disks are untouched.',
  todo: 'Install it: sudo apt-get install qemu-system-x86',
});

export const sampleMissing = (): ErrorBody => ({
  code: 'vm.sample-missing',
  what: "The sample guest's kernel is not in the cache.",
  safe: 'The VM and its disk are untouched.',
  todo: 'Run `npm start` once on a machine with apt: it assembles the sample guest.',
});

export const wrongState = (name: string, phase: VmPhase, verb: keyof typeof MAY): ErrorBody => ({
  code: 'vm.wrong-state',
  what: `"${name}" is ${phase}; it cannot ${verb === 'force' ? 'be forced off' : verb} now.`,
  safe: 'Nothing was changed.',
  todo: `This works while it is ${MAY[verb].join(' or ')}.`,
  data: { phase, verb },
});

export const noQemu = (name: string): ErrorBody => ({
  code: 'vm.wrong-state',
  what: `"${name}" has no running QEMU.`,
  safe: 'Nothing was changed.',
  todo: 'Start it first.',
});

export const stillRuns = (name: string, isCancelled: boolean): ErrorBody => ({
  code: isCancelled ? 'cancelled' : 'vm.timeout',
  what: `"${name}" was asked to shut down and still runs.`,
  safe: 'It runs on; nothing was lost.',
  todo: 'Shut it down from inside, or force it off: like pulling the plug.',
});
