// What the list of VMs refuses with. Pure.
import { Fault } from '../../shared/result.ts';

export const noVm = (id: string): Fault =>
  new Fault({
    code: 'vm.not-found',
    what: `There is no VM ${id}.`,
    safe: 'Nothing was changed.',
    todo: 'Look at the list again.',
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

export const createFull = (needs: number, free: number): Fault =>
  new Fault({
    code: 'disk.full',
    what: `Creating this VM needs ${Math.ceil(needs / 2 ** 20)} MiB; ${Math.floor(free / 2 ** 20)} MiB are free.`,
    safe: 'Nothing was created.',
    todo: 'Free some space, then try again.',
    data: { needs, free },
  });
