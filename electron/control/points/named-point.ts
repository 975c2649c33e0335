// Finds the point of a VM's history that a call names. `safe` says in the error what the caller has not done
// yet. Pure.
import type { DiskId, MomentId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment } from '../../../shared/timeline.ts';
import { noPoint } from '../machines/machine-faults.ts';

/** Fault moment.not-found. */
export function momentNamed(moments: readonly Moment[], momentId: MomentId, safe: string): Moment {
  const moment = moments.find(({ id }) => id === momentId);
  if (moment === undefined) throw noPoint(safe);
  return moment;
}

/** The moment's point of that disk; `diskId` null: of the first. Faults: moment.not-found, disk.not-found. */
export function pointNamed(
  moments: readonly Moment[],
  { momentId, diskId }: { readonly momentId: MomentId; readonly diskId: DiskId | null },
  safe: string,
): { readonly moment: Moment; readonly point: Moment['points'][number] } {
  const moment = momentNamed(moments, momentId, safe);
  const point = moment.points.find(row => diskId === null || row.diskId === diskId);
  if (point !== undefined) return { moment, point };
  throw new Fault({
    code: 'disk.not-found',
    what: 'That point has no such disk.',
    safe,
    todo: 'Look at the timeline again.',
  });
}
