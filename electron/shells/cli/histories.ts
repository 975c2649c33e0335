// `ebb history …`: when automatic points are taken, how long they are kept, and cleaning up.
import type {
  CleanUp,
  Frees,
  HistoryState,
  Look,
  Protection,
  Quota,
  Schedule,
} from '../../../shared/history.ts';
import { bytesText } from '../../../shared/units.ts';
import { table, timeText } from './output.ts';
import { NotFoundError } from './pick.ts';
import { type Run, theVm } from './session.ts';
import type { HISTORY_ROWS } from './table/history.ts';
import { UsageError } from './values.ts';
import type { Given } from './words.ts';

type Rows = typeof HISTORY_ROWS;

const REASONS: Readonly<Record<Look['reason'], string>> = {
  time: 'took a point',
  missed: 'took a point, for a time that had passed',
  change: 'took a point: enough was written',
  unchanged: 'skipped: nothing was written since the newest point',
  little: 'skipped: too little was written since the newest point',
  covered: 'skipped: there was a newer point already',
  clock: 'skipped: the clock of this computer was set back',
  busy: 'waits: the VM is busy',
  battery: 'waits: the battery is low',
  fault: 'failed',
};

const WHO: Readonly<Record<Protection, string>> = {
  pinned: 'pinned points',
  person: 'points somebody took or named',
  fork: 'points that branches grow from',
  tip: 'ends of branches',
  now: 'the point Now stands on',
  'in-use': 'points being read',
  limit: 'automatic points that a limit of this computer keeps',
};

const everyText = (minutes: number): string => (minutes < 60 ? `${minutes} min` : `${minutes / 60} h`);
const clockOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

function scheduleText({ isOn, everyMinutes, atMinute, leastChangedBytes, changedBytes }: Schedule): string {
  if (!isOn) return 'No automatic points are taken.';
  const least = leastChangedBytes === 0 ? 'anything' : bytesText(leastChangedBytes);
  const change = changedBytes === null ? '' : `, and as soon as ${bytesText(changedBytes)} were written`;
  return `A point every ${everyText(everyMinutes)} (${clockOf(atMinute)}) if ${least} was written${change}.`;
}

function keepText({
  keep: { allHours, days, weeks, months },
  quotaBytes,
  batteryLeastPercent,
}: Schedule): string {
  const quota = quotaBytes === null ? '' : ` At most ${bytesText(quotaBytes)} besides the newest image.`;
  const battery =
    batteryLeastPercent === 0 ? '' : ` On battery below ${batteryLeastPercent} % points and settling wait.`;
  return `Kept: all of ${allHours} hours, then one of each of ${days} days, ${weeks} weeks and ${months} months.${quota}${battery}`;
}

function stateText({ schedule, nextAt, last, lastDrop }: HistoryState): string {
  return [
    scheduleText(schedule),
    keepText(schedule),
    ...(nextAt === null ? [] : [`Next: ${timeText(nextAt)}`]),
    ...(last === null
      ? []
      : [`Last: ${timeText(last.at)} ${REASONS[last.reason]}${last.text === null ? '' : `: ${last.text}`}`]),
    ...(lastDrop === null ? [] : [`Dropped: ${timeText(lastDrop.at)} ${lastDrop.count} into the trash`]),
  ].join('\n');
}

export const showSchedule: Run<Rows['history show']> = async session => {
  const { spec } = await theVm(session);
  const state = await session.client.call('history.show', { vmId: spec.id });
  return { text: stateText(state), json: state };
};

const MINUTES = {
  '15m': 15,
  '30m': 30,
  '1h': 60,
  '2h': 120,
  '4h': 240,
  '8h': 480,
  '12h': 720,
  '24h': 1440,
} as const;

function minuteOf(text: string): number {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const minute = Number(hours) * 60 + Number(minutes);
  if (Number(hours) < 24 && Number(minutes) < 60) return minute;
  throw new UsageError(`--at: "${text}" is not a time of day; write it like 09:30.`);
}

/** The schedule with the given options changed; the rest stays. */
function changed(old: Schedule, given: Given<Rows['history set']>): Schedule {
  const { every, at, quota, battery } = given;
  const change = given['on-change'];
  return {
    isOn: given.on ? true : given.off ? false : old.isOn,
    everyMinutes: every === undefined ? old.everyMinutes : MINUTES[every],
    atMinute: at === undefined ? old.atMinute : minuteOf(at),
    leastChangedBytes: given['min-changed'] ?? old.leastChangedBytes,
    changedBytes: change === undefined ? old.changedBytes : change === 'none' ? null : change,
    batteryLeastPercent: battery ?? old.batteryLeastPercent,
    keep: {
      allHours: given['keep-hours'] ?? old.keep.allHours,
      days: given['keep-days'] ?? old.keep.days,
      weeks: given['keep-weeks'] ?? old.keep.weeks,
      months: given['keep-months'] ?? old.keep.months,
    },
    quotaBytes: quota === undefined ? old.quotaBytes : quota === 'none' ? null : quota,
  };
}

export const setSchedule: Run<Rows['history set']> = async session => {
  const { client, given } = session;
  const vmId = (await theVm(session)).spec.id;
  const { schedule } = await client.call('history.show', { vmId });
  const state = await client.call('history.set', { vmId, schedule: changed(schedule, given) });
  return { text: stateText(state), json: state };
};

const freesText = ({ freesNowBytes, freesLaterBytes }: Frees): string =>
  `${bytesText(freesNowBytes)}${freesLaterBytes === 0 ? '' : `, and at least ${bytesText(freesLaterBytes)} more once others are merged`}`;

function quotaText({ quotaBytes, usedBytes, overBytes, heldBy }: Quota): string {
  if (quotaBytes === null)
    return `Points besides the newest image take ${bytesText(usedBytes)}; no quota is set.`;
  const line = `Points besides the newest image take ${bytesText(usedBytes)} of ${bytesText(quotaBytes)}.`;
  if (overBytes === 0) return line;
  const holders = heldBy.map(({ by, bytes }) => `${WHO[by]} ${bytesText(bytes)}`).join(', ');
  return `${line} ${bytesText(overBytes)} too much stay: ${holders}.`;
}

const nameText = ({ name }: { readonly name: string }): string => (name === '' ? 'Automatic' : name);

export const previewSchedule: Run<Rows['history preview']> = async session => {
  const { spec } = await theVm(session);
  const preview = await session.client.call('history.preview', { vmId: spec.id });
  const { nextAt, drop, frees, quota } = preview;
  const rows = drop.map(({ momentId, why, takenAt, ...moment }) => [
    momentId.slice(0, 8),
    nameText(moment),
    timeText(takenAt),
    why === 'quota' ? 'for the quota' : 'thinned out',
  ]);
  const text = [
    nextAt.length === 0
      ? 'No point is due: automatic points are off.'
      : `Next: ${nextAt.map(timeText).join(', ')}`,
    drop.length === 0
      ? 'Nothing would be dropped.'
      : `Into the trash at the next time:\n${table(['ID', 'NAME', 'TAKEN', 'WHY'], rows)}\nThat frees ${freesText(frees)}.`,
    quotaText(quota),
  ];
  return { text: text.join('\n'), json: preview };
};

/** The first `oldest` candidates, or the fewest, oldest first, that free at least `free` bytes. */
function chosen(
  { candidates }: CleanUp,
  { oldest, free }: { oldest: number | undefined; free: number | undefined },
) {
  if (free === undefined) return candidates.slice(0, oldest);
  const enough = candidates.findIndex(({ frees }) => frees.freesNowBytes + frees.freesLaterBytes >= free);
  return enough < 0 ? candidates : candidates.slice(0, enough + 1);
}

export const cleanHistory: Run<Rows['history clean']> = async session => {
  const { client, given } = session;
  const { spec } = await theVm(session);
  const vmId = spec.id;
  const offer = await client.call('history.offer', { vmId, alsoPersons: given['also-mine'] });
  const dropped = chosen(offer, given);
  const frees = dropped.at(-1)?.frees;
  if (frees === undefined)
    throw new NotFoundError(
      'moment.not-found',
      `${spec.name} has no point that may go.`,
      'See: ebb point list VM',
    );
  const rows = dropped.map(({ momentId, takenAt, ...moment }) => [
    momentId.slice(0, 8),
    nameText(moment),
    timeText(takenAt),
  ]);
  const momentIds = dropped.map(({ momentId }) => momentId);
  if (!given['dry-run']) await client.call('history.clean', { vmId, momentIds });
  const text = given['dry-run']
    ? `These would go; that would free ${freesText(frees)}.`
    : `In the trash for a week. Emptying it frees ${freesText(frees)}. To have one back: ebb point restore ${spec.name} ID`;
  return { text: `${table(['ID', 'NAME', 'TAKEN'], rows)}\n${text}`, json: { momentIds, ...frees } };
};
