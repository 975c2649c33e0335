// The trash: deleted points and VMs are listed and restored there, points purged. Also `ebb point delete`.
import type { MomentId, VmId } from '../../../shared/ids.ts';
import { bytesText } from '../../../shared/units.ts';
import { table, timeText } from './output.ts';
import { pickDeleted, pickMoment } from './pick.ts';
import { type Run, type Session, theTimeline } from './session.ts';
import type { POINT_ROWS } from './table/points.ts';
import type { VM_ROWS } from './table/vms.ts';

type Rows = typeof POINT_ROWS & typeof VM_ROWS;

async function purge({ client }: Session, vmId: VmId, momentId?: MomentId): Promise<number> {
  const which = momentId === undefined ? { vmId } : { vmId, momentId };
  return (await client.call('trash.purge', which)).freedBytes;
}

const freedText = (bytes: number): string =>
  `${bytesText(bytes)} are free again; what others hang off is merged into its neighbour in the background.`;

export const deletePoint: Run<Rows['point delete']> = async session => {
  const { spec, timeline } = await theTimeline(session);
  const { id, name } = pickMoment(timeline.moments, session.given.POINT);
  await session.client.call('moment.delete', { vmId: spec.id, momentId: id });
  if (!session.given.purge)
    return {
      text: `"${name}" is in the trash for a week. Every other point is as it was. To have it back: ebb point restore ${spec.name} ${id.slice(0, 8)}`,
      json: { id, freedBytes: 0 },
    };
  const freedBytes = await purge(session, spec.id, id);
  return {
    text: `Deleted "${name}": ${freedText(freedBytes)} Every other point is as it was.`,
    json: { id, freedBytes },
  };
};

export const listTrash: Run<Rows['point trash']> = async session => {
  const { trash } = (await theTimeline(session)).timeline;
  const rows = trash.map(moment => [
    moment.id.slice(0, 8),
    moment.name,
    timeText(moment.takenAt),
    timeText(moment.trashedAt ?? 0),
    bytesText(moment.allocatedBytes),
  ]);
  return { text: table(['ID', 'NAME', 'TAKEN', 'DELETED', 'SIZE'], rows), json: trash };
};

export const restorePoint: Run<Rows['point restore']> = async session => {
  const { spec, timeline } = await theTimeline(session);
  const { id } = pickMoment(timeline.trash, session.given.POINT);
  const back = await session.client.call('moment.restore', { vmId: spec.id, momentId: id });
  return { text: `"${back.name}" is back.`, json: back };
};

export const purgeTrash: Run<Rows['point purge']> = async session => {
  const { spec, timeline } = await theTimeline(session);
  const { POINT } = session.given;
  const moment = POINT === undefined ? null : pickMoment(timeline.trash, POINT);
  const freedBytes = await purge(session, spec.id, moment?.id);
  const gone = moment === null ? 'The trash is empty' : `"${moment.name}" is gone`;
  return { text: `${gone}: ${freedText(freedBytes)}`, json: { freedBytes } };
};

export const listDeleted: Run<Rows['vm trash']> = async ({ client }) => {
  const { vms } = await client.call('vm.trashed', {});
  const rows = vms.map(({ vmId, name, deletedAt, goesAt }) => [
    vmId.slice(0, 8),
    name,
    timeText(deletedAt),
    timeText(goesAt),
  ]);
  const text =
    rows.length === 0 ? 'No deleted VMs.' : table(['ID', 'NAME', 'DELETED', 'GOES FOR GOOD'], rows);
  return { text, json: vms };
};

export const restoreVm: Run<Rows['vm restore']> = async ({ client, given }) => {
  const { vmId, name } = pickDeleted((await client.call('vm.trashed', {})).vms, given.VM);
  const back = await client.call('vm.restore', { vmId });
  const text = back.name === name ? `${name} is back.` : `${name} is back, as "${back.name}".`;
  return { text, json: await client.call('vm.get', { vmId }) };
};
