// Counts the calls that an engine makes of its host, by name, and says what becomes of one of them.
import type { SimWorld } from '../storage/device.ts';

/** The power goes or storage dies before the call; or it fails: no space, a failing disk, done by half. */
export const FATES = ['power', 'process', 'full', 'io', 'short'] as const;
export type Fate = (typeof FATES)[number];

/** What may become of such a call. Only a write is done by half; a call that looks can only fail. */
export const fatesOf = (name: string): readonly Fate[] =>
  isLook(name) ? ['io'] : name.startsWith('write') ? FATES : FATES.filter(fate => fate !== 'short');

/** The call changes nothing. */
export const isLook = (name: string): boolean => /^(?:read|exists|list)\b/.test(name);

export interface Strike {
  /** Which life: how many deaths there were since the counting began. */
  readonly life: number;
  /** Which call, counted from when that life began. */
  readonly call: number;
  readonly fate: Fate;
}

export class Calls {
  isArmed = false;
  /** The names of the calls of each life; the last life is under way. */
  readonly lives: string[][] = [[]];
  readonly #strikes: Strike[];

  constructor(strikes: readonly Strike[] = []) {
    this.#strikes = [...strikes];
  }

  /** Whether every strike has struck. */
  get isSpent(): boolean {
    return this.#strikes.length === 0;
  }

  next(name: string): Fate | null {
    const [strike] = this.#strikes;
    const names = this.lives.at(-1) as string[];
    const isMet = strike?.life === this.lives.length - 1 && strike.call === names.length;
    names.push(name);
    if (!isMet || strike === undefined) return null;
    this.#strikes.shift();
    return strike.fate;
  }

  /** A death while calls were counted: what it left half-done is counted, too, until all is at rest. */
  isAfterDeath = false;

  /** The next host's calls are counted anew. */
  afterDeath(): void {
    this.isAfterDeath = this.isArmed;
    this.lives.push([]);
  }
}

/** What a file is at this moment, as SPEC.md calls it. */
export function roleOf({ store, others, folders }: SimWorld, file: string): string {
  if ([...others.keys()].some(disk => folders.get(disk)?.visible.has(file))) return 'copy';
  if (file.endsWith('.vhd.new')) return 'B';
  if (file.endsWith('.part')) return 'update';
  if (!file.endsWith('.vhd')) return 'run file';
  const uuid = file.slice(0, -'.vhd'.length);
  for (const op of store.rows('op')) {
    if (op.kind === 'merge' && op.point === uuid) return 'X';
    if (op.kind === 'merge' && op.child === uuid) return 'C';
    if ((op.kind === 'copy' || op.kind === 'undo' || op.kind === 'flip') && op.child === uuid) return 'F';
  }
  if (store.rows('disk').some(({ leaf }) => leaf === uuid)) return 'leaf';
  const point = store.rows('point').find(({ id }) => id === uuid);
  if (point === undefined) return 'new leaf';
  return point.parent === null ? 'root' : 'delta';
}
