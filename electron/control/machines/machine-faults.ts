// The refusals about VMs. Pure.
import { Fault } from '../../../shared/result.ts';
import type { VmSummary } from '../../../shared/vm.ts';

export const noVm = (id: string): Fault =>
  new Fault({
    code: 'vm.not-found',
    what: `There is no VM ${id}.`,
    safe: 'Nothing was changed.',
    todo: 'Look at the list again.',
  });

export const notInTrash = (id: string): Fault =>
  new Fault({
    code: 'vm.not-found',
    what: `There is no deleted VM ${id} that can be taken back.`,
    safe: 'Nothing was changed.',
    todo: 'Look at the deleted VMs again: they go for good after a week.',
  });

export const isHere = (name: string): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: `The VM "${name}" is here already.`,
    safe: 'Nothing was changed: what is here and what was deleted stay as they are.',
    todo: 'For a second one like it, create a VM from one of its points.',
  });

const NOT_ADDED = 'Nothing was added; the folder is as it was.';

export const notOfEbb = (path: string, why: 'none' | 'version' | 'damaged'): Fault =>
  new Fault({
    code: why === 'version' ? 'import.refused' : 'import.bad-format',
    what: {
      none: `${path} is no folder of a VM made by Ebb: it has no vm.json.`,
      version: `${path} was made by another version of Ebb, whose vm.json this one does not know.`,
      damaged: `The vm.json of ${path} is damaged, or is none of Ebb's.`,
    }[why],
    safe: NOT_ADDED,
    todo: 'Name the folder vms/ID of the other data folder. Its disks can become a VM in any case: ebb vm create --disk',
  });

export const addRefused = (why: string, todo: string): Fault =>
  new Fault({
    code: 'import.refused',
    what: `The folder cannot be added: ${why.slice(0, 400)}.`,
    safe: NOT_ADDED,
    todo,
  });

export const addHeld = (name: string): Fault =>
  new Fault({
    code: 'disk.owned-elsewhere',
    what: `The disks of "${name}" are open in another Ebb.`,
    safe: NOT_ADDED,
    todo: 'Shut the VM down there and end that Ebb: ebb quit',
  });

export const tooManyVms = (most: number): Fault =>
  new Fault({
    code: 'limit.reached',
    what: `There are ${most} VMs.`,
    safe: 'Nothing was changed.',
    todo: 'Delete one first.',
  });

export const nameTaken = (name: string): Fault =>
  new Fault({
    code: 'vm.name-taken',
    what: `There is a VM named "${name}" already.`,
    safe: 'Nothing was changed.',
    todo: 'Choose another name.',
  });

export const ownedElsewhere = (file: string, owner: string): Fault =>
  new Fault({
    code: 'disk.owned-elsewhere',
    what: `${file} belongs to the VM "${owner}".`,
    safe: 'It was not touched.',
    todo: `Use "${owner}" itself, or copy the file elsewhere first.`,
  });

export const notOff = ({ spec, state }: VmSummary, doing: string, isSaved: boolean): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: `"${spec.name}" is ${state.phase}; ${doing} needs it to be off.`,
    safe: 'Nothing was changed.',
    todo: isSaved
      ? 'Resume it and shut it down, or force it off: its saved memory belongs to the present.'
      : 'Shut it down first.',
    data: { phase: state.phase },
  });

export const noPoint = (safe: string): Fault =>
  new Fault({
    code: 'moment.not-found',
    what: 'There is no such point.',
    safe,
    todo: 'Look at the timeline again.',
  });

export const createFull = (needs: number, free: number): Fault =>
  new Fault({
    code: 'disk.full',
    what: `Creating this VM needs ${Math.ceil(needs / 2 ** 20)} MiB; ${Math.floor(free / 2 ** 20)} MiB are free.`,
    safe: 'Nothing was created.',
    todo: 'Free some space, then try again.',
    data: { needs, free },
  });

export const vmBusy = ({ name }: VmSummary['spec']): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: `"${name}" is busy with another task.`,
    safe: 'Nothing was changed.',
    todo: 'Wait for it to end, or cancel it.',
  });

export const someRun = (): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: 'VMs are running.',
    safe: 'They run on.',
    todo: 'Stop or suspend them first.',
  });

export const notRunning = (): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: 'The VM is not running.',
    safe: 'Nothing was changed.',
    todo: 'Start it first.',
  });

export const browserRefused = (what: string, todo: string): Fault =>
  new Fault({
    code: 'rpc.denied',
    what: `A browser may not ${what} this computer.`,
    safe: 'Nothing was read or changed.',
    todo,
  });
