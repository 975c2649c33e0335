// The form of a key of IT policy. Plain data.

export type RuleKind =
  /** KiB; in files "6GiB". */
  | 'memory'
  /** Bytes; in files "64GiB". */
  | 'size'
  | 'count'
  /** True: allowed. Only false restricts, but of a permission. */
  | 'flag'
  /** One of some words. */
  | 'choice'
  /** Which of some words. */
  | 'set'
  /** Which folders, and all below them. */
  | 'folders';

/** What a rule may say of a key, beside its reason. */
export type Part = 'value' | 'min' | 'max' | 'allowed';

export interface KeyWords {
  readonly title: string;
  /** One or two sentences: what it binds, and what becomes of what is there already. */
  readonly doc: string;
}

export interface PolicyKeyRow {
  readonly kind: RuleKind;
  readonly parts: readonly Part[];
  /** People set it too (ebb mem policy, Settings): it can also be recommended. */
  readonly isSetting?: true;
  /** Of a flag: not allowed where nobody says that it is. */
  readonly isPermission?: true;
  /** Of two amounts, which restricts more: what wins where files leave nothing in common. */
  readonly strict?: 'less' | 'more';
  readonly choices?: readonly string[];
  /** Allowed whatever a file says: what rescues people's data. */
  readonly always?: readonly string[];
  readonly least?: number;
  readonly most?: number;
  readonly en: KeyWords;
  readonly zh: KeyWords;
}

export const row = <const R extends PolicyKeyRow>(made: R): R => made;
