// `ebb point …`: take, list, name, delete, go back, and write out.
import { branchesOf } from '../../../shared/branches.ts';
import type { MomentId, VmId } from '../../../shared/ids.ts';
import type { Consistency } from '../../../shared/moment-extras.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment, Timeline } from '../../../shared/timeline.ts';
import { bytesText } from '../../../shared/units.ts';
import { settleText, table, timeText } from './output.ts';
import { NotFoundError, pickMoment } from './pick.ts';
import { streamPoint } from './serve-point.ts';
import { type OfVm, type Output, type Run, type Session, theTimeline, theVm } from './session.ts';
import type { POINT_ROWS } from './table/points.ts';
import { UsageError } from './values.ts';

type Rows = typeof POINT_ROWS;
type OfPoint = OfVm & Session<{ readonly POINT: string }>;

/** The VM and the point that the words name. */
export async function thePoint(session: OfPoint) {
  const found = await theTimeline(session);
  return { ...found, moment: pickMoment(found.timeline.moments, session.given.POINT) };
}

export const takePoint: Run<Rows['point take']> = async session => {
  const { spec } = await theVm(session);
  const { NAME, note, memory } = session.given;
  const wanted = { vmId: spec.id, name: NAME, note };
  const moment = memory
    ? await takeWithMemory(session, wanted)
    : await session.client.call('moment.take', wanted);
  const how = moment.extras === undefined ? '' : `, ${HOW_WHOLE[moment.extras.consistency]}`;
  return { text: `Took "${moment.name}" (${moment.id.slice(0, 8)}) of ${spec.name}${how}.`, json: moment };
};

const HOW_WHOLE: Readonly<Record<Consistency, string>> = {
  off: 'while it was off',
  crash: 'as after a power cut',
  frozen: 'with its file systems at rest',
  memory: 'with its memory',
};

async function takeWithMemory(
  session: OfVm & Session<object>,
  wanted: { readonly vmId: VmId; readonly name: string; readonly note: string },
): Promise<Moment> {
  const { vmId } = wanted;
  const before = await session.client.call('timeline.get', { vmId });
  const known = new Set(before.moments.map(({ id }) => id));
  await session.wait((await session.client.call('moment.take-with-memory', wanted)).taskId);
  const after = await session.client.call('timeline.get', { vmId });
  const taken = after.moments.find(({ id, name }) => name === wanted.name && !known.has(id));
  if (taken === undefined)
    throw new NotFoundError(
      'moment.not-found',
      `"${wanted.name}" is not there any more.`,
      'Look at `ebb point list`.',
    );
  return taken;
}

export const peekAtPoint: Run<Rows['point peek']> = async session => {
  const { spec, moment } = await thePoint(session);
  const { vmId, taskId } = await session.client.call('moment.peek', { vmId: spec.id, momentId: moment.id });
  await session.wait(taskId, { vmId });
  const vm = await session.client.call('vm.get', { vmId });
  const { name } = vm.spec;
  return {
    text: `"${name}" runs as it was. End it with \`ebb vm stop '${name}' --force\`: nothing of it is kept.`,
    json: vm,
  };
};

export const listPoints: Run<Rows['point list']> = async session => {
  const { timeline } = await theTimeline(session);
  const rows = [...timeline.moments]
    .sort((a, b) => b.takenAt - a.takenAt)
    .map(moment => [
      moment.id.slice(0, 8),
      `${moment.name === '' && moment.kind === 'automatic' ? 'Automatic' : moment.name}${moment.id === timeline.nowParentId ? ' ← now' : ''}${moment.pinned ? ' (pinned)' : ''}`,
      timeText(moment.takenAt),
      bytesText(moment.allocatedBytes),
      moment.freesBytes === null ? '' : `frees ${bytesText(moment.freesBytes)}`,
    ]);
  const { settle } = timeline;
  const why = settle.reason === null ? '' : `: ${settle.reason}`;
  return {
    text: `${table(['ID', 'NAME', 'TAKEN', 'SIZE', 'IF DELETED'], rows)}\nDisk: ${settleText(settle)}${why}`,
    json: timeline,
  };
};

export const costOfPoint: Run<Rows['point cost']> = async session => {
  const { spec, moment } = await thePoint(session);
  const cost = await session.client.call('moment.cost', { vmId: spec.id, momentId: moment.id });
  const text = `"${moment.name}" takes ${bytesText(cost.allocatedBytes)}. Deleting it gives back ${bytesText(cost.freesNowBytes)} at once and ${bytesText(cost.freesLaterBytes)} later, when it is merged into its neighbour.`;
  return { text, json: cost };
};

async function update(
  session: OfPoint,
  change: { readonly name?: string; readonly note?: string; readonly pinned?: boolean },
): Promise<Moment> {
  const { spec, moment } = await thePoint(session);
  return session.client.call('moment.update', { vmId: spec.id, momentId: moment.id, ...change });
}

export const renamePoint: Run<Rows['point rename']> = async session => {
  const moment = await update(session, { name: session.given.NAME });
  return { text: `It is "${moment.name}" now.`, json: moment };
};

export const notePoint: Run<Rows['point note']> = async session => {
  const moment = await update(session, { note: session.given.TEXT });
  return { text: `Noted at "${moment.name}".`, json: moment };
};

export const pinPoint: Run<Rows['point pin']> = async session => {
  const moment = await update(session, { pinned: true });
  return { text: `"${moment.name}" is pinned: it is not deleted until it is unpinned.`, json: moment };
};

export const unpinPoint: Run<Rows['point unpin']> = async session => {
  const moment = await update(session, { pinned: false });
  return { text: `"${moment.name}" is no longer pinned.`, json: moment };
};

export const listBranches: Run<Rows['point branches']> = async session => {
  const { timeline } = await theTimeline(session);
  const nameOf = (id: string | null): string => timeline.moments.find(row => row.id === id)?.name ?? '–';
  const branches = branchesOf(timeline);
  const rows = branches.map(({ tip, fromId, moments }) => [
    tip === null ? '' : tip.id.slice(0, 8),
    tip === null ? 'Now' : tip.name,
    nameOf(fromId),
    String(moments),
  ]);
  return { text: table(['ID', 'ENDS AT', 'GROWS FROM', 'POINTS'], rows), json: branches };
};

/** Tells which option to use: the refusal's own advice is about the window's button. */
function sayingHow(error: unknown, ifRunning: 'refuse' | 'shutdown' | 'force'): unknown {
  if (ifRunning !== 'refuse' || !(error instanceof Fault)) return error;
  const { code, data } = error.body;
  if (code !== 'vm.wrong-state' || (data?.phase !== 'running' && data?.phase !== 'paused')) return error;
  return new Fault({
    ...error.body,
    todo: 'Say --shutdown to have it shut down, taken back and started again, or --force to pull its plug instead.',
  });
}

/** Going back keeps the present as a branch only if something had changed since the last point. */
function keptText(before: Timeline, after: Timeline): string {
  const known = new Set(before.moments.map(({ id }) => id));
  const kept = after.moments.find(({ id, kind }) => kind === 'kept' && !known.has(id));
  return kept === undefined
    ? 'Nothing had changed since the last point.'
    : `What you had is kept as the branch "${kept.name}".`;
}

export const goBack: Run<Rows['point go-back']> = async session => {
  const { spec, moment, timeline } = await thePoint(session);
  const { force, shutdown, keep, fresh, setup } = session.given;
  const ifRunning = force ? 'force' : shutdown ? 'shutdown' : 'refuse';
  const { taskId } = await session.client
    .call('moment.go-back', {
      vmId: spec.id,
      momentId: moment.id,
      ifRunning,
      memory: fresh ? 'discard' : 'resume',
      configuration: setup ? 'restore' : 'keep',
      ...(keep === undefined ? {} : { keepName: keep }),
    })
    .catch((error: unknown) => {
      throw sayingHow(error, ifRunning);
    });
  await session.wait(taskId);
  const after = await session.client.call('timeline.get', { vmId: spec.id });
  return {
    text: `${spec.name} is as it was at "${moment.name}". ${keptText(timeline, after)}`,
    json: after,
  };
};

export const comparePoints: Run<Rows['point diff']> = async session => {
  const { spec, timeline } = await theTimeline(session);
  const { FROM: from, TO: to } = session.given;
  const idOf = (word: string): MomentId | null =>
    word.toLowerCase() === 'now' ? null : pickMoment(timeline.moments, word).id;
  const { disks } = await session.client.call('moment.compare', {
    vmId: spec.id,
    fromId: idOf(from),
    toId: idOf(to),
  });
  const lines = disks.map(({ diskId, difference: { bytes, ranges, isTruncated } }) => {
    const count = `${isTruncated ? 'more than ' : ''}${ranges.length} ${ranges.length === 1 ? 'place' : 'places'}`;
    return `disk ${diskId.slice(0, 8)}: ${bytes === 0 ? 'nothing' : `${bytesText(bytes)} in ${count}`}`;
  });
  return { text: `Between "${from}" and "${to}" changed\n${lines.join('\n')}`, json: disks };
};

async function streamed(session: Session<{ VM: string; POINT: string; format: string }>): Promise<Output> {
  if (session.given.format !== 'raw') throw new UsageError('Only --format raw can go to standard output.');
  return streamPoint(session);
}

/** The disk's id; null: none was named, so the first is meant. */
export function diskOf(moment: Moment, disk: string | undefined) {
  const found = disk === undefined ? null : moment.points.find(({ diskId }) => diskId.startsWith(disk));
  if (found === undefined)
    throw new NotFoundError('disk.not-found', `"${moment.name}" has no disk ${disk}.`, 'See: ebb vm show VM');
  return found?.diskId ?? null;
}

export const exportPoint: Run<Rows['point export']> = async session => {
  const { format, to, disk } = session.given;
  if (to === '-') return streamed(session);
  const { spec, moment } = await thePoint(session);
  const diskId = diskOf(moment, disk);
  const { taskId, path } = await session.client.call('moment.export', {
    vmId: spec.id,
    momentId: moment.id,
    diskId,
    format,
    path: to === undefined ? null : session.absolute(to),
  });
  await session.wait(taskId, { path });
  return { text: `Wrote ${path}.`, json: { path } };
};
