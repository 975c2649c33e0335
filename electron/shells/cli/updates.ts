// `ebb point export-delta` and `import-delta`: makes an update on one computer, applies it on another.

import { pickMoment } from './pick.ts';
import { type Run, theTimeline } from './session.ts';
import type { POINT_ROWS } from './table/points.ts';

type Rows = typeof POINT_ROWS;

export const exportDelta: Run<Rows['point export-delta']> = async session => {
  const { spec, timeline } = await theTimeline(session);
  const from = pickMoment(timeline.moments, session.given.FROM);
  const to = pickMoment(timeline.moments, session.given.TO);
  const target = session.given.to;
  const { taskId, path } = await session.client.call('moment.export-delta', {
    vmId: spec.id,
    fromId: from.id,
    toId: to.id,
    path: target === undefined ? null : session.absolute(target),
  });
  await session.wait(taskId, { path });
  return {
    text: `Wrote ${path}: what "${to.name}" has otherwise than "${from.name}". Whoever has "${from.name}" applies it with: ebb point import-delta VM FILE`,
    json: { path },
  };
};

export const importDelta: Run<Rows['point import-delta']> = async session => {
  const { spec, timeline: before } = await theTimeline(session);
  const path = session.absolute(session.given.FILE);
  const { onto } = session.given;
  const { file } = await session.client.call('file.register', { path });
  const { taskId } = await session.client.call('moment.import-delta', {
    vmId: spec.id,
    file,
    ontoId: onto === undefined ? null : pickMoment(before.moments, onto).id,
    name: session.given.name ?? null,
  });
  await session.wait(taskId);
  const { moments } = await session.client.call('timeline.get', { vmId: spec.id });
  const made = moments.find(({ id }) => before.moments.every(other => other.id !== id));
  return {
    text: `${spec.name} has the point "${made?.name ?? ''}" now. What you have is as it was; to go forward to it: ebb point go-back ${spec.name} ${made?.id.slice(0, 8) ?? ''}`,
    json: made ?? null,
  };
};
