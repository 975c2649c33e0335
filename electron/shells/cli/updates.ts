// `ebb point export-delta` and `ebb point import-delta`: an update made on one computer, applied on another.

import { pickMoment } from './arguments.ts';
import { argument, type Command, type Output, option, type Session, theVm } from './session.ts';

async function exportDelta(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const { moments } = await session.client.call('timeline.get', { vmId: spec.id });
  const from = pickMoment(moments, argument(session, 3, 'FROM'));
  const to = pickMoment(moments, argument(session, 4, 'TO'));
  const target = option(session, 'to');
  const { taskId, path } = await session.client.call('moment.export-delta', {
    vmId: spec.id,
    fromId: from.id,
    toId: to.id,
    path: target === undefined ? null : session.absolute(target),
  });
  await session.wait(taskId);
  return {
    text: `Wrote ${path}: what "${to.name}" has otherwise than "${from.name}". Whoever has "${from.name}" applies it with: ebb point import-delta VM FILE`,
    json: { path },
  };
}

async function importDelta(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const path = session.absolute(argument(session, 3, 'FILE'));
  const onto = option(session, 'onto');
  const before = await session.client.call('timeline.get', { vmId: spec.id });
  const { file } = await session.client.call('file.register', { path });
  const { taskId } = await session.client.call('moment.import-delta', {
    vmId: spec.id,
    file,
    ontoId: onto === undefined ? null : pickMoment(before.moments, onto).id,
    name: option(session, 'name') ?? null,
  });
  await session.wait(taskId);
  const { moments } = await session.client.call('timeline.get', { vmId: spec.id });
  const made = moments.find(({ id }) => before.moments.every(other => other.id !== id));
  return {
    text: `${spec.name} has the point "${made?.name ?? ''}" now. What you have is as it was; to go forward to it: ebb revert ${spec.name} ${made?.id.slice(0, 8) ?? ''}`,
    json: made ?? null,
  };
}

export const UPDATE_COMMANDS: Readonly<Record<string, Command>> = {
  'point export-delta': {
    usage: 'VM FROM TO [--to FILE]',
    help: 'Write what point TO has otherwise than FROM as a differencing VHD: an update for whoever has FROM',
    run: exportDelta,
  },
  'point import-delta': {
    usage: 'VM FILE [--onto POINT] [--name NAME]',
    help: 'Make a point of an update made elsewhere, a branch of the point it was made from',
    run: importDelta,
  },
};
