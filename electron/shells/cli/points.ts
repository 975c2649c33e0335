// Commands about points: take, list, rename, trash, and going back.

import { branchesOf } from '../../../shared/branches.ts';
import type { MomentId, VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { exportFormatSchema, settleOrderSchema, type Timeline } from '../../../shared/timeline.ts';
import { NotFoundError, parseBytes, pickMoment, pickVm, UsageError } from './arguments.ts';
import { INTEGRITY_COMMANDS } from './integrity.ts';
import { gib, table, timeText } from './output.ts';
import { SERVE_COMMAND, streamPoint } from './serve.ts';
import { argument, type Command, type Output, option, type Session, theVm } from './session.ts';

async function theMoment(session: Session, vmId: VmId) {
  const timeline = await session.client.call('timeline.get', { vmId });
  return pickMoment(timeline.moments, argument(session, 3, 'POINT'));
}

async function listPoints(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const timeline = await session.client.call('timeline.get', { vmId: spec.id });
  const rows = [...timeline.moments]
    .sort((a, b) => b.takenAt - a.takenAt)
    .map(moment => [
      moment.id.slice(0, 8),
      `${moment.name}${moment.id === timeline.nowParentId ? ' ← now' : ''}${moment.pinned ? ' (pinned)' : ''}`,
      timeText(moment.takenAt),
      gib(moment.allocatedBytes),
      moment.freesBytes === null ? '' : `frees ${gib(moment.freesBytes)}`,
    ]);
  const { settle } = timeline;
  const health = healthText(settle);
  return {
    text: `${table(['ID', 'NAME', 'TAKEN (UTC)', 'SIZE', 'IF DELETED'], rows)}\nDisk: ${health}${settle.reason === null ? '' : `: ${settle.reason}`}`,
    json: timeline,
  };
}

const WORK_WORDS = {
  reversal: 'turning history round',
  undo: 'turning back',
  merge: 'merging a deleted point',
  checksum: 'recording checksums',
  compact: 'giving space back',
} as const satisfies Record<NonNullable<Timeline['settle']['work']>['kind'], string>;

function healthText({ state, work }: Timeline['settle']): string {
  if (work === null) return state;
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  return `${state}, ${WORK_WORDS[work.kind]}: ${mib(work.bytesDone)} of ${mib(work.bytesTotal)} MiB`;
}

/** The window has a button for it; here it is a word. */
function sayingHow(error: unknown, ifRunning: 'refuse' | 'shutdown' | 'force'): unknown {
  if (ifRunning !== 'refuse' || !(error instanceof Fault)) return error;
  const { code, data } = error.body;
  if (code !== 'vm.wrong-state' || (data?.phase !== 'running' && data?.phase !== 'paused')) return error;
  return new Fault({
    ...error.body,
    todo: 'Say --shutdown to have it shut down, taken back and started again, or --force to pull its plug instead.',
  });
}

/** Nothing is kept where nothing had changed since the last point. */
function keptText(before: Timeline, after: Timeline): string {
  const known = new Set(before.moments.map(({ id }) => id));
  const kept = after.moments.find(({ id, kind }) => kind === 'kept' && !known.has(id));
  return kept === undefined
    ? 'Nothing had changed since the last point.'
    : `What you had is kept as the branch "${kept.name}".`;
}

async function listBranches(session: Session): Promise<Output> {
  const { spec } = pickVm((await session.client.call('vm.list', {})).vms, argument(session, 1, 'VM'));
  const timeline = await session.client.call('timeline.get', { vmId: spec.id });
  const nameOf = (id: string | null): string => timeline.moments.find(row => row.id === id)?.name ?? '–';
  const branches = branchesOf(timeline);
  const rows = branches.map(({ tip, fromId, moments }) => [
    tip === null ? '' : tip.id.slice(0, 8),
    tip === null ? 'Now' : tip.name,
    nameOf(fromId),
    String(moments),
  ]);
  return { text: table(['ID', 'ENDS AT', 'GROWS FROM', 'POINTS'], rows), json: branches };
}

async function growDisk(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const word = option(session, 'disk');
  const disk = spec.disks.find(({ id }) => word === undefined || id.startsWith(word));
  if (disk === undefined)
    throw new NotFoundError('vm.not-found', `${spec.name} has no disk ${word ?? ''}.`, 'See: ebb vm show VM');
  const grown = await session.client.call('disk.grow', {
    vmId: spec.id,
    diskId: disk.id,
    virtualBytes: parseBytes(argument(session, 3, 'SIZE'), 'SIZE'),
  });
  const guest =
    grown.laterBecause === null
      ? 'The guest has to extend its own file system.'
      : `The guest that runs hears of it at its next start: ${grown.laterBecause}`;
  return {
    text: `The disk of ${spec.name} holds ${gib(grown.virtualBytes)} now; its points stay as large as they were. ${guest}`,
    json: grown,
  };
}

async function goBack(session: Session): Promise<Output> {
  const vms = (await session.client.call('vm.list', {})).vms;
  const { spec } = pickVm(vms, argument(session, 1, 'VM'));
  const timeline = await session.client.call('timeline.get', { vmId: spec.id });
  const moment = pickMoment(timeline.moments, argument(session, 2, 'POINT'));
  const { force, shutdown } = session.words.options;
  const keepName = option(session, 'keep');
  const keep = keepName === undefined ? {} : { keepName };
  const ifRunning = force === true ? 'force' : shutdown === true ? 'shutdown' : 'refuse';
  const { taskId } = await session.client
    .call('moment.go-back', { vmId: spec.id, momentId: moment.id, ifRunning, ...keep })
    .catch((error: unknown) => {
      throw sayingHow(error, ifRunning);
    });
  await session.wait(taskId);
  const after = await session.client.call('timeline.get', { vmId: spec.id });
  return {
    text: `${spec.name} is as it was at "${moment.name}". ${keptText(timeline, after)}`,
    json: after,
  };
}

async function purgeOne(session: Session, vmId: VmId, momentId?: MomentId): Promise<number> {
  const which = momentId === undefined ? { vmId } : { vmId, momentId };
  return (await session.client.call('trash.purge', which)).freedBytes;
}

const freedText = (bytes: number): string =>
  `${gib(bytes)} are free again; what others hang off is merged into its neighbour in the background.`;

async function deletePoint(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const { id, name } = await theMoment(session, spec.id);
  await session.client.call('moment.delete', { vmId: spec.id, momentId: id });
  if (session.words.options.purge !== true)
    return {
      text: `"${name}" is in the trash for a week. Every other point is as it was. To have it back: ebb point restore ${spec.name} ${id.slice(0, 8)}`,
      json: { id, freedBytes: 0 },
    };
  const freedBytes = await purgeOne(session, spec.id, id);
  return {
    text: `Deleted "${name}": ${freedText(freedBytes)} Every other point is as it was.`,
    json: { id, freedBytes },
  };
}

/** POINT, or the word `now`. */
async function comparePoints(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const { moments } = await session.client.call('timeline.get', { vmId: spec.id });
  const idOf = (word: string): MomentId | null =>
    word.toLowerCase() === 'now' ? null : pickMoment(moments, word).id;
  const [from, to] = [argument(session, 3, 'POINT'), session.words.plain[4] ?? 'now'];
  const { disks } = await session.client.call('moment.compare', {
    vmId: spec.id,
    fromId: idOf(from),
    toId: idOf(to),
  });
  const lines = disks.map(({ diskId, difference: { bytes, ranges, isTruncated } }) => {
    const count = `${isTruncated ? 'more than ' : ''}${ranges.length} ${ranges.length === 1 ? 'place' : 'places'}`;
    return `disk ${diskId.slice(0, 8)}: ${bytes === 0 ? 'nothing' : `${gib(bytes)} in ${count}`}`;
  });
  return { text: `Between "${from}" and "${to}" changed\n${lines.join('\n')}`, json: disks };
}

async function exportPoint(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const moment = await theMoment(session, spec.id);
  const format = exportFormatSchema.safeParse(option(session, 'format'));
  if (!format.success) throw new UsageError(`--format is one of ${exportFormatSchema.options.join(', ')}.`);
  const to = option(session, 'to');
  if (to === '-') {
    if (format.data !== 'raw') throw new UsageError('Only --format raw can go to standard output.');
    return streamPoint(session);
  }
  const disk = option(session, 'disk');
  const found = disk === undefined ? null : moment.points.find(({ diskId }) => diskId.startsWith(disk));
  if (found === undefined)
    throw new NotFoundError(
      'moment.not-found',
      `"${moment.name}" has no disk ${disk}.`,
      'See: ebb vm show VM',
    );
  const { taskId, path } = await session.client.call('moment.export', {
    vmId: spec.id,
    momentId: moment.id,
    diskId: found?.diskId ?? null,
    format: format.data,
    path: to === undefined ? null : session.absolute(to),
  });
  await session.wait(taskId);
  return { text: `Wrote ${path}.`, json: { path } };
}

async function inTrash(session: Session) {
  const vm = await theVm(session);
  const { trash } = await session.client.call('timeline.get', { vmId: vm.spec.id });
  return { vm, moment: pickMoment(trash, argument(session, 3, 'POINT')) };
}

async function listTrash(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const { trash } = await session.client.call('timeline.get', { vmId: spec.id });
  const rows = trash.map(moment => [
    moment.id.slice(0, 8),
    moment.name,
    timeText(moment.takenAt),
    timeText(moment.trashedAt ?? 0),
    gib(moment.allocatedBytes),
  ]);
  return { text: table(['ID', 'NAME', 'TAKEN (UTC)', 'DELETED (UTC)', 'SIZE'], rows), json: trash };
}

async function purge(session: Session): Promise<Output> {
  const isOne = session.words.plain[3] !== undefined;
  const { vm, moment } = isOne ? await inTrash(session) : { vm: await theVm(session), moment: null };
  const freedBytes = await purgeOne(session, vm.spec.id, moment?.id);
  return {
    text: `${moment === null ? 'The trash is empty' : `"${moment.name}" is gone`}: ${freedText(freedBytes)}`,
    json: { freedBytes },
  };
}

async function clone(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const { id, name } = await theMoment(session, spec.id);
  const { vmId, taskId } = await session.client.call('vm.clone', {
    vmId: spec.id,
    momentId: id,
    name: argument(session, 4, 'NAME'),
    linked: session.words.options.linked === true,
  });
  await session.wait(taskId);
  const vm = await session.client.call('vm.get', { vmId });
  return { text: `Created ${vm.spec.name} from "${name}" of ${spec.name}.`, json: vm };
}

export const POINT_COMMANDS: Readonly<Record<string, Command>> = {
  'vm clone': {
    usage: 'VM POINT NAME [--linked]',
    help: 'Create a VM from a point of another: its disks copied in full, or --linked: at once, sharing blocks where the file system can',
    run: clone,
  },
  ...INTEGRITY_COMMANDS,
  'point take': {
    usage: 'VM [NAME] [--note TEXT]',
    help: 'Take a point of all its disks, running or not',
    run: async session => {
      const { spec } = await theVm(session);
      const moment = await session.client.call('moment.take', {
        vmId: spec.id,
        name: session.words.plain[3]?.trim() || 'Point',
        note: option(session, 'note') ?? '',
      });
      return { text: `Took "${moment.name}" (${moment.id.slice(0, 8)}) of ${spec.name}.`, json: moment };
    },
  },
  'point list': {
    usage: 'VM',
    help: 'Its points, newest first, with what deleting each frees',
    run: listPoints,
  },
  'point rename': {
    usage: 'VM POINT NAME',
    help: 'Give a point another name',
    run: async session => {
      const { spec } = await theVm(session);
      const { id } = await theMoment(session, spec.id);
      const moment = await session.client.call('moment.update', {
        vmId: spec.id,
        momentId: id,
        name: argument(session, 4, 'NAME'),
      });
      return { text: `It is "${moment.name}" now.`, json: moment };
    },
  },
  'point delete': {
    usage: 'VM POINT [--purge]',
    help: 'Put a point into the trash for a week; --purge deletes it for good',
    run: deletePoint,
  },
  'point export': {
    usage: 'VM POINT --format FORMAT [--to FILE] [--disk ID]',
    help: 'Write a disk as it was at a point into a new image: vhd, vhd-fixed, vhdx, qcow2, vmdk or raw; raw also to --to -, standard output',
    run: exportPoint,
  },
  'point serve': SERVE_COMMAND,
  'point diff': {
    usage: 'VM POINT [POINT|now]',
    help: 'What changed on its disks between two points, or since one',
    run: comparePoints,
  },
  'point trash': { usage: 'VM', help: 'What is in the trash, and what each holds', run: listTrash },
  'point restore': {
    usage: 'VM POINT',
    help: 'Take a point out of the trash',
    run: async session => {
      const { vm, moment } = await inTrash(session);
      const back = await session.client.call('moment.restore', { vmId: vm.spec.id, momentId: moment.id });
      return { text: `"${back.name}" is back.`, json: back };
    },
  },
  'point purge': {
    usage: 'VM [POINT]',
    help: 'Delete what is in the trash for good: one point, or all',
    run: purge,
  },
  'disk grow': {
    usage: 'VM SIZE [--disk ID]',
    help: 'Make a disk larger, with its history, also while the VM runs; its points stay as large as they were',
    run: growDisk,
  },
  branches: {
    usage: 'VM',
    help: 'The lines of its history: where each ends, and where it leaves the line of Now',
    run: listBranches,
  },
  settle: {
    usage: 'VM (run|pause|undo)',
    help: 'Let its history be tidied, pause that, or turn back what is under way',
    run: async session => {
      const { spec } = pickVm((await session.client.call('vm.list', {})).vms, argument(session, 1, 'VM'));
      const to = settleOrderSchema.safeParse(argument(session, 2, 'run, pause or undo'));
      if (!to.success) throw new UsageError(`Say one of ${settleOrderSchema.options.join(', ')}.`);
      await session.client.call('settle.set', { vmId: spec.id, to: to.data });
      const { settle } = await session.client.call('timeline.get', { vmId: spec.id });
      return { text: `${spec.name}: ${healthText(settle)}.`, json: settle };
    },
  },
  revert: {
    usage: 'VM POINT [--keep NAME] [--shutdown|--force]',
    help: 'Go back to a point, the present is kept as a branch of that name; a running VM is ended so and started again',
    run: goBack,
  },
};
