// `ebb point delete` and the trash: deleted points are listed, restored or purged there.
import type { MomentId, VmId } from '../../../shared/ids.ts';
import { bytesText } from '../../../shared/units.ts';
import { table, timeText } from './output.ts';
import { pickMoment } from './pick.ts';
import { type Run, type Session, theTimeline } from './session.ts';
import type { POINT_ROWS } from './table/points.ts';

type Rows = typeof POINT_ROWS;

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
