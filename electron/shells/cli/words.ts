// The form of a command as data. Parsing, help, usage, completion and the man page all come from rows of this
// form, and so do the types of the values a command is given.

export type Kind =
  | 'flag'
  | 'text'
  /** Bytes. */
  | 'size'
  /** KiB. */
  | 'memory'
  | 'count'
  /** Seconds. */
  | 'span'
  | 'choice'
  | 'file'
  | 'vm'
  /** A VM in the trash. */
  | 'deleted'
  | 'point'
  /** A point in the trash. */
  | 'trashed'
  | 'disk'
  | 'task';

/** What one word means, whether it stands alone or after an option. */
export interface Value {
  readonly kind: Kind;
  readonly doc: string;
  /** As people would write it; parsed like any given word. */
  readonly default?: string;
  readonly choices?: readonly string[];
  /** Words allowed besides what the kind allows; they are passed on unparsed. */
  readonly or?: readonly string[];
  /** Bounds of counts and spans, both inclusive. */
  readonly least?: number;
  readonly most?: number;
}

export interface Argument extends Value {
  /** In capitals: its name in help and in `given`. */
  readonly name: string;
  readonly optional?: true;
  /** Takes all words that are left. */
  readonly many?: true;
}

export interface Option extends Value {
  /** What help calls the value; left out: the kind in capitals. */
  readonly value?: string;
  /** Set: the option must be given. A sentence that says why. */
  readonly required?: string;
  /** May be given several times. */
  readonly many?: true;
}

/** How many options must be given. `one`: exactly one. `most-one`: at most one. `some`: at least one. */
export interface Group {
  readonly rule: 'one' | 'most-one' | 'some';
  readonly of: readonly string[];
  /** The usage error when none is given. */
  readonly otherwise?: string;
}

export interface Row {
  /** One sentence, without its full stop. */
  readonly help: string;
  readonly arguments: readonly Argument[];
  readonly options: Readonly<Record<string, Option>>;
  readonly groups?: readonly Group[];
  /** An older name of the command that still works. */
  readonly alias?: string;
  /** The command begins a task, so it takes --no-wait. */
  readonly isTask?: true;
  /** For other programs: shown in no help. */
  readonly isHidden?: true;
}

export const row = <const R extends Row>(made: R): R => made;

type Plain<V extends Value> = V['kind'] extends 'size' | 'memory' | 'count' | 'span'
  ? number
  : V extends { readonly choices: readonly (infer C extends string)[] }
    ? C
    : string;
type Meant<V extends Value> = Plain<V> | (V extends { readonly or: readonly (infer W)[] } ? W : never);

type OfOption<O extends Option> = O['kind'] extends 'flag'
  ? boolean
  : O extends { readonly many: true }
    ? readonly Meant<O>[]
    : O extends { readonly default: string } | { readonly required: string }
      ? Meant<O>
      : Meant<O> | undefined;
type OfArgument<A extends Argument> = A extends { readonly many: true }
  ? readonly Meant<A>[]
  : A extends { readonly default: string }
    ? Meant<A>
    : A extends { readonly optional: true }
      ? Meant<A> | undefined
      : Meant<A>;

/** What a command gets: `given.VM`, `given['mem-max']`. */
export type Given<R extends Row> = {
  readonly [A in R['arguments'][number] as A['name']]: OfArgument<A>;
} & {
  readonly [N in keyof R['options'] & string]: OfOption<R['options'][N]>;
};

/** Options of every command. */
export const EVERYWHERE = {
  help: { kind: 'flag', doc: 'Say what the command does and which words it takes' },
  json: { kind: 'flag', doc: 'Answer with one JSON document, for scripts' },
  ndjson: {
    kind: 'flag',
    doc: 'Answer in lines of JSON: {"progress": task} as it goes, {"result": answer} last',
  },
  quiet: { kind: 'flag', doc: 'No progress' },
} as const satisfies Readonly<Record<string, Option>>;

/** Option of every command that begins a task. */
export const NO_WAIT = {
  kind: 'flag',
  doc: 'Begin it, print the id of its task and leave it running',
} as const satisfies Option;

export const optionsOf = (command: Row): Readonly<Record<string, Option>> => ({
  ...command.options,
  ...(command.isTask === true ? { 'no-wait': NO_WAIT } : {}),
  ...EVERYWHERE,
});
