// Finds the VM, point, disk or task meant by a name, the beginning of an id, or @-1. Pure.

import type { Task } from '../../../shared/task.ts';
import type { Moment } from '../../../shared/timeline.ts';
import type { DeletedVm, VmSpec, VmSummary } from '../../../shared/vm.ts';

type NotFoundCode = 'vm.not-found' | 'moment.not-found' | 'disk.not-found' | 'task.not-found';

/** Nothing has that name: exit code 3. */
export class NotFoundError extends Error {
  readonly code: NotFoundCode;
  readonly todo: string;
  constructor(code: NotFoundCode, what: string, todo: string) {
    super(what);
    this.code = code;
    this.todo = todo;
  }
}

/** A shorter word could begin an id by chance. */
const ID_CHARS_LEAST = 4;
const beginsWith = (id: string, word: string): boolean =>
  word.length >= ID_CHARS_LEAST && id.startsWith(word.toLowerCase());

/** By name, else by the beginning of an id that only one VM has. */
export function pickVm(vms: readonly VmSummary[], word: string): VmSummary {
  const byName = vms.find(({ spec }) => spec.name.toLowerCase() === word.toLowerCase());
  if (byName !== undefined) return byName;
  const byId = vms.filter(({ spec }) => beginsWith(spec.id, word));
  if (byId.length === 1 && byId[0] !== undefined) return byId[0];
  throw byId.length > 1
    ? new NotFoundError('vm.not-found', `"${word}" begins the ids of ${byId.length} VMs.`, 'Give more of it.')
    : new NotFoundError('vm.not-found', `There is no VM "${word}".`, 'See: ebb vm list');
}

/** The same of deleted VMs, which are given newest first: several may have had one name. */
export function pickDeleted(vms: readonly DeletedVm[], word: string): DeletedVm {
  const byName = vms.find(({ name }) => name.toLowerCase() === word.toLowerCase());
  const byId = vms.filter(({ vmId }) => beginsWith(vmId, word));
  const found = byName ?? (byId.length === 1 ? byId[0] : undefined);
  if (found !== undefined) return found;
  throw new NotFoundError(
    'vm.not-found',
    `There is no single deleted VM "${word}" that can be taken back.`,
    'See: ebb vm trash',
  );
}

const SEE_POINTS = 'See: ebb point list VM';

/** By name (the newest of that name), id's beginning, or @-1 for the newest, @-2 for the one before. */
export function pickMoment(moments: readonly Moment[], word: string): Moment {
  const newestFirst = [...moments].sort((a, b) => b.takenAt - a.takenAt);
  const back = /^@-(\d+)$/.exec(word)?.[1];
  if (back !== undefined) {
    const found = newestFirst[Number(back) - 1];
    if (found !== undefined) return found;
    throw new NotFoundError(
      'moment.not-found',
      moments.length === 1 ? 'There is only 1 point.' : `There are only ${moments.length} points.`,
      SEE_POINTS,
    );
  }
  const byName = newestFirst.find(moment => moment.name === word);
  if (byName !== undefined) return byName;
  const byId = newestFirst.filter(moment => beginsWith(moment.id, word));
  if (byId.length === 1 && byId[0] !== undefined) return byId[0];
  throw new NotFoundError('moment.not-found', `There is no single point "${word}".`, SEE_POINTS);
}

/** A VM's disk by the beginning of its id, however short; the first disk when none is named. */
export function pickDisk(spec: VmSpec, word: string | undefined): VmSpec['disks'][number] {
  const disk = spec.disks.find(({ id }) => word === undefined || id.startsWith(word.toLowerCase()));
  if (disk !== undefined) return disk;
  const what = word === undefined ? `${spec.name} has no disk.` : `${spec.name} has no disk ${word}.`;
  throw new NotFoundError('disk.not-found', what, `See: ebb vm show ${spec.name} --json`);
}

export function pickTask(tasks: readonly Task[], word: string): Task {
  const found = tasks.filter(({ id }) => beginsWith(id, word));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  const what =
    found.length > 1 ? `"${word}" begins the ids of ${found.length} tasks.` : `There is no task "${word}".`;
  throw new NotFoundError('task.not-found', what, 'See: ebb task list');
}
