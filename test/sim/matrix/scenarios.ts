// Everything that can be done to a disk with a history, as a program: what comes before, and what is done
// while every call of the engine is counted. The schedule chooses disk sizes and the order in which things
// end.
import type { Host } from '../programs/machine.ts';
import type { Operation } from '../programs/operations.ts';

export interface Scenario {
  readonly name: string;
  readonly host: Host;
  readonly before: readonly Operation[];
  /** Null: the making of the disks themselves is counted. */
  readonly counted: readonly Operation[] | null;
}

const write = (at: number, sectors = 20, disk = 0): Operation => ({
  do: 'write',
  disk,
  at,
  sectors,
  isSame: false,
});
const flush: Operation = { do: 'flush', disk: 0 };
const take: Operation = { do: 'take' };
/**
 * A write behind everything else, in a block of its own: younger than all that the work under way is about.
 */
const fresh = (after: number) => ({ disk: 0, at: 104, sectors: 8, after });
const flushMeanwhile: Operation = { ...flush, meanwhile: fresh(0) };
const takeMeanwhile = (after: number): Operation => ({ ...take, meanwhile: fresh(after) });
const settle: Operation = { do: 'settle' };
const pause: Operation = { do: 'pause' };
const resume: Operation = { do: 'resume' };
const step = (count: number): Operation => ({ do: 'step', count });
const goBack = (which: number): Operation => ({ do: 'goBack', which });
const drop = (which: number): readonly Operation[] => [
  { do: 'delete', which },
  { do: 'purge', which: 0, isAll: true },
];

const grow: Operation = { do: 'grow', disk: 0, more: 40_000 };
const graft = (isGivenUp: boolean): Operation => ({ do: 'graft', which: 0, at: 6, sectors: 40, isGivenUp });

const clone = (which: number): Operation => ({ do: 'clone', which, at: 0 });
const lose = (
  after: 'power' | 'process' | 'close',
  more: { isNameless?: true; isLeafLost?: true } = {},
): Operation => ({
  do: 'rescue',
  after,
  isNameless: false,
  isLeafLost: false,
  ...more,
});

const onePoint = [write(0, 100), write(0, 30, 1), take, settle];
const twoPoints = [...onePoint, pause, write(16, 40), write(64, 8), take];
const threePoints = [...twoPoints, write(8, 24), take];

interface Row extends Omit<Scenario, 'host'> {
  /** The scenario moves units or drains blocks. */
  readonly moves?: true;
}

const ROWS: readonly Row[] = [
  { name: 'create', before: [], counted: null },
  {
    name: 'guest',
    before: onePoint,
    counted: [
      write(4, 30),
      flush,
      { do: 'zero', disk: 0, at: 8, sectors: 16 },
      { do: 'trim', disk: 0, at: 40, sectors: 40 },
      write(12, 5),
      flush,
    ],
  },
  { name: 'guest, writing in a flush', before: onePoint, counted: [write(4, 30), flushMeanwhile, flush] },
  {
    name: 'take, writing in it',
    before: [...onePoint, pause, write(8, 16)],
    counted: [write(3, 9), flushMeanwhile, takeMeanwhile(4), flush],
  },
  { name: 'first point', before: [write(0, 60), write(8, 8, 1)], counted: [write(3, 9), take] },
  { name: 'take', before: [...onePoint, pause, write(8, 16)], counted: [write(3, 9), take, write(5, 9)] },
  { name: 'reversal', moves: true, before: twoPoints, counted: [resume, settle] },
  { name: 'two reversals', moves: true, before: threePoints, counted: [resume, settle] },
  {
    name: 'undo',
    moves: true,
    before: [...twoPoints, resume, step(12)],
    counted: [{ do: 'undo' }, settle, resume, settle],
  },
  {
    name: 'merge of the oldest',
    moves: true,
    before: [...onePoint, pause, write(16, 40), write(104, 8), take, ...drop(0)],
    counted: [resume, settle],
  },
  {
    name: 'merge in the middle',
    moves: true,
    before: [...threePoints, ...drop(1)],
    counted: [resume, settle],
  },
  {
    name: 'merge at rest',
    moves: true,
    before: [...threePoints, resume, settle, ...drop(1).slice(0, 1)],
    counted: [{ do: 'purge', which: 0, isAll: true }, settle],
  },
  {
    name: 'merge upwards, tried again',
    moves: true,
    before: [
      write(0, 100),
      write(0, 30, 1),
      take,
      settle,
      pause,
      ...[0, 16, 32, 48, 64, 80].map(at => write(at, 8)),
      take,
      ...[8, 24, 40, 56, 72, 88].map(at => write(at, 8)),
      take,
      ...drop(1),
    ],
    counted: [resume, settle, settle],
  },
  {
    name: 'merge downwards at rest',
    moves: true,
    before: [...onePoint, write(56, 8), take, settle, write(0, 48), take, settle, ...drop(1).slice(0, 1)],
    counted: [{ do: 'purge', which: 0, isAll: true }, settle],
  },
  { name: 'going back', before: [...twoPoints, resume, settle, write(2, 9)], counted: [goBack(0)] },
  {
    name: 'going back, then rescue',
    moves: true,
    before: [...twoPoints, resume, settle, write(2, 9), flush],
    counted: [goBack(0), lose('power', { isNameless: true })],
  },
  {
    name: 'going back, reroot',
    moves: true,
    before: [...threePoints, resume, settle, write(2, 9), goBack(0), write(30, 8), take],
    counted: [settle],
  },
  {
    name: 'delete a childless point',
    before: [...twoPoints, resume, settle],
    counted: [...drop(0)],
  },
  {
    name: 'trash and restore',
    before: onePoint,
    counted: [...drop(0).slice(0, 1), { do: 'restore', which: 0 }],
  },
  { name: 'rename and pin', before: onePoint, counted: [{ do: 'update', which: 0 }] },
  { name: 'rest', moves: true, before: [...onePoint, write(10, 30)], counted: [{ do: 'rest' }, settle] },
  { name: 'grow', before: onePoint, counted: [write(4, 9), grow, write(150, 40), flush] },
  {
    name: 'reversal to a larger point',
    moves: true,
    before: [...onePoint, pause, grow, write(8, 20), write(150, 40), take],
    counted: [resume, settle],
  },
  {
    name: 'reversal to a smaller point',
    moves: true,
    before: [...onePoint, grow, write(150, 40), take, settle, goBack(0), pause, write(8, 20), take],
    counted: [resume, settle],
  },
  {
    name: 'undo with a larger point',
    moves: true,
    before: [...onePoint, pause, grow, write(8, 20), write(150, 40), take, resume, step(12)],
    counted: [{ do: 'undo' }, settle, { do: 'reopen' }],
  },
  {
    name: 'compact',
    moves: true,
    before: [
      ...onePoint,
      { do: 'zero', disk: 0, at: 0, sectors: 60 },
      write(80, 8),
      take,
      settle,
      { do: 'compact', isStopping: true },
    ],
    counted: [{ do: 'compact', isStopping: false }, settle, write(70, 4), flush],
  },
  { name: 'graft', before: onePoint, counted: [graft(false)] },
  { name: 'graft given up', before: onePoint, counted: [graft(true)] },
  {
    name: 'clone',
    moves: true,
    before: [...twoPoints, resume, settle],
    counted: [clone(0), write(2, 9), take, settle],
  },
  {
    name: 'clone of an edge being turned',
    moves: true,
    before: [...twoPoints, resume, step(12)],
    counted: [clone(1), settle],
  },
  { name: 'rescue', moves: true, before: [...threePoints, write(2, 9)], counted: [lose('power')] },
  {
    name: 'rescue of an edge being turned',
    moves: true,
    before: [...twoPoints, write(2, 9), resume, step(12)],
    counted: [flush, write(40, 9), lose('process')],
  },
  {
    name: 'rescue without names',
    moves: true,
    before: [...twoPoints, resume, step(12)],
    counted: [lose('power', { isNameless: true })],
  },
  {
    name: 'rescue without the leaf',
    before: [...twoPoints, resume, settle, write(2, 9)],
    counted: [lose('close', { isLeafLost: true }), write(5, 9), flush],
  },
  { name: 'checksums', before: [write(0, 100), take], counted: [settle] },
  { name: 'close and open', before: [...onePoint, write(10, 30)], counted: [{ do: 'reopen' }] },
  {
    name: 'compact, paused on the way',
    moves: true,
    before: [...onePoint, { do: 'zero', disk: 0, at: 0, sectors: 60 }, write(80, 8), take, settle],
    counted: [
      { do: 'compact', isStopping: false },
      step(12),
      { do: 'compact', isStopping: false, isPausing: true },
      settle,
      { do: 'compact', isStopping: false },
      settle,
    ],
  },
];

/** T16, T3: all rows on a host that cannot share nor punch; those that move once more on one that can. */
export const SCENARIOS: readonly Scenario[] = [
  ...ROWS.map(row => ({ ...row, host: { canClone: false, canPunch: false } })),
  ...ROWS.filter(({ moves }) => moves).map(row => ({
    ...row,
    name: `${row.name}, shared`,
    host: { canClone: true, canPunch: true },
  })),
];
