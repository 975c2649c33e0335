// The operations that a program is made of, as data, so that a failing program can be made smaller and run
// again. Numbers choose among what there is at that moment, so that every program is valid.
import * as fc from 'fast-check';
import { SPARE_BYTES } from '../../../electron/storage/disk/copy.ts';

type Each<K extends string, R = unknown> = K extends unknown ? { readonly do: K } & Readonly<R> : never;
interface Range {
  disk: number;
  at: number;
  sectors: number;
}
/** A write while something is under way, once `after` things have ended since that began. */
export interface Meanwhile extends Readonly<Range> {
  readonly after: number;
}

export type Operation =
  | Each<'write', Range & { isSame: boolean }>
  | Each<'zero' | 'trim', Range>
  | Each<'flush', { disk: number; meanwhile?: Meanwhile }>
  | Each<'take', { meanwhile?: Meanwhile }>
  | Each<'step', { count: number }>
  | Each<'settle' | 'pause' | 'resume' | 'undo' | 'rest' | 'verify' | 'reopen' | 'relieve'>
  | Each<'goBack' | 'delete' | 'restore' | 'update' | 'cost', { which: number }>
  /** Purges one moment with nothing else under way, and compares its cost; or all, amid other work. */
  | Each<'purge', { which: number; isAll: boolean }>
  /** Compacting is told to begin, to pause, or to stop. */
  | Each<'compact', { isStopping: boolean; isPausing?: boolean }>
  /** By at least `more` bytes; nothing where the disk would be too large to be judged sector by sector. */
  | Each<'grow', { disk: number; more: number }>
  /** An update is written onto a point, and becomes a point or is given up. */
  | Each<'graft', { which: number; at: number; sectors: number; isGivenUp: boolean }>
  /** A linked clone of one disk of a point: a VM of its own that shares its blocks. */
  | Each<'clone', { which: number; at: number }>
  /** The timeline is lost after a death, or after a proper close; perhaps its mirror, or the leaves, too. */
  | Each<'rescue', { after: 'power' | 'process' | 'close'; isNameless: boolean; isLeafLost: boolean }>
  | Each<'compare', { from: number; to: number }>
  | Each<'read', { which: number; at: number; sectors: number }>
  /** The host, or storage alone, dies at a later call; where `calls` is 0 at once. */
  | Each<'die', { kind: 'power' | 'process'; calls: number; at: string }>
  /** `isTold`: asking for the free space gives the truth. */
  | Each<'full', { bytes: number; isTold?: boolean }>
  | Each<'fail', { what: 'write' | 'sync' | 'read'; after: number }>;

export interface Program {
  /** Chooses the shape of the disks, and the order in which things under way end. */
  readonly schedule: number;
  readonly operations: readonly Operation[];
}

const LENGTH = 50;
const SECTORS = 1200;
/** Calls that make a step durable: mistakes show there. */
const PLACES = ['', '', '', 'sync', '→', 'commit', 'merging', 'undoing', '.new'];

const disk = fc.nat(1);
const which = fc.nat(11);
const at = fc.oneof(fc.nat(63), fc.nat(SECTORS));
const sectors = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 100 }));
const range = { disk, at, sectors };
const meanwhile = fc.option(fc.record({ ...range, after: fc.nat(12) }), { freq: 1, nil: undefined });

const of = <K extends Operation['do'], R extends Record<string, unknown>>(
  name: K,
  rest: { readonly [P in keyof R]: fc.Arbitrary<R[P]> },
): fc.Arbitrary<Operation> => fc.record({ do: fc.constant(name), ...rest }) as fc.Arbitrary<Operation>;

const WEIGHTED: readonly [number, fc.Arbitrary<Operation>][] = [
  [24, of('write', { ...range, isSame: fc.nat(9).map(chance => chance === 9) })],
  [3, of('zero', range)],
  [3, of('trim', range)],
  [6, of('flush', { disk, meanwhile })],
  [12, of('step', { count: fc.integer({ min: 1, max: 40 }) })],
  [4, of('settle', {})],
  [2, of('pause', {})],
  [3, of('resume', {})],
  [3, of('undo', {})],
  [2, of('rest', {})],
  [12, of('take', { meanwhile })],
  [5, of('goBack', { which })],
  [8, of('delete', { which })],
  [2, of('restore', { which })],
  [7, of('purge', { which, isAll: fc.nat(2).map(chance => chance === 2) })],
  [2, of('update', { which })],
  [
    3,
    of('compact', {
      isStopping: fc.nat(3).map(chance => chance === 3),
      isPausing: fc.nat(3).map(chance => chance === 3),
    }),
  ],
  [2, of('grow', { disk, more: fc.nat(60_000) })],
  [2, of('graft', { which, at, sectors, isGivenUp: fc.nat(3).map(chance => chance === 3) })],
  [1, of('clone', { which, at })],
  [
    1,
    of('rescue', {
      after: fc.constantFrom('power', 'process', 'close'),
      isNameless: fc.nat(2).map(chance => chance === 2),
      isLeafLost: fc.constant(false),
    }),
  ],
  [1, of('cost', { which })],
  [2, of('compare', { from: which, to: which })],
  [2, of('read', { which, at, sectors })],
  [1, of('verify', {})],
  [3, of('reopen', {})],
  [
    3,
    of('die', {
      kind: fc.constantFrom('power', 'process'),
      calls: fc.oneof(fc.constant(0), fc.nat(12), fc.nat(80)),
      at: fc.constantFrom(...PLACES),
    }),
  ],
  [1, of('full', { bytes: fc.nat(40_000) })],
  [
    2,
    of('full', {
      bytes: fc
        .tuple(fc.constantFrom(0, 2 ** 20, SPARE_BYTES), fc.nat(150_000))
        .map(([kept, bytes]) => kept + bytes),
      isTold: fc.constant(true),
    }),
  ],
  [3, of('relieve', {})],
  [2, of('fail', { what: fc.constantFrom('write', 'sync', 'read'), after: fc.nat(20) })],
];

/** A slot may become empty, which is how a program gets shorter. */
const slot = fc.option(fc.oneof(...WEIGHTED.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
  freq: 1_000_000,
  nil: null,
});

export const programs: fc.Arbitrary<Program> = fc
  .record({ schedule: fc.nat(), slots: fc.array(slot, { minLength: LENGTH, maxLength: LENGTH }) })
  .map(({ schedule, slots }) => ({ schedule, operations: slots.filter(one => one !== null) }));
