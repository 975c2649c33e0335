// The form of a key of IT policy. Plain data.

export type RuleKind =
  /** KiB; in files "6GiB". */
  | 'memory'
  /** Bytes; in files "64GiB". */
  | 'size'
  | 'count'
  /** True: allowed. Only false restricts, except where `isPermission` is set. */
  | 'flag'
  /** One of some words. */
  | 'choice'
  /** Any of some words. */
  | 'set'
  /** Some folders, each with all folders below it. */
  | 'folders';

/** The parts a rule for a key may have, beside its reason. */
export type Part = 'value' | 'min' | 'max' | 'allowed';

export interface KeyWords {
  readonly title: string;
  /** One or two sentences: what the key binds, and what happens to existing things it would forbid. */
  readonly doc: string;
}

export interface PolicyKeyRow {
  readonly kind: RuleKind;
  readonly parts: readonly Part[];
  /** People can set the key too (ebb mem policy, Settings), so a value can also be recommended. */
  readonly isSetting?: true;
  /** For a flag: not allowed unless a rule says that it is. */
  readonly isPermission?: true;
  /** Which of two amounts restricts more: it wins where rules of several files have no amount in common. */
  readonly strict?: 'less' | 'more';
  readonly choices?: readonly string[];
  /** Choices allowed whatever a file says, so that people can always rescue their data. */
  readonly always?: readonly string[];
  readonly least?: number;
  readonly most?: number;
  readonly en: KeyWords;
  readonly zh: KeyWords;
}

export const row = <const R extends PolicyKeyRow>(made: R): R => made;
