// Parses a command line into a command and its values. Pure. Node's parseArgs splits the words; the table
// says what they mean.
import { parseArgs } from 'node:util';
import { allWords, COMMANDS, type CommandName, findCommand, GROUPS } from './table.ts';
import { nearest, parseValue, UsageError } from './values.ts';
import { type Argument, EVERYWHERE, type Group, NO_WAIT, type Option, optionsOf, type Row } from './words.ts';

/** Values of arguments and options by their names; `Given` of the row, once the command is known. */
export type AnyGiven = Readonly<Record<string, unknown>>;

export interface Parsed {
  readonly name: CommandName;
  readonly row: Row;
  readonly given: AnyGiven;
}
export type Asked =
  | { readonly kind: 'run'; readonly parsed: Parsed }
  /** The group or command whose help is asked for; null: help on everything. */
  | { readonly kind: 'help'; readonly of: string | null };

interface Said {
  readonly name: string;
  readonly raw: string;
  readonly value: string | undefined;
}
interface Words {
  readonly plain: readonly string[];
  readonly options: readonly Said[];
}

/** An option takes a value in all commands or in none, so words can be split before the command is known. */
export const ALL_OPTIONS: Readonly<Record<string, Option>> = Object.assign(
  {},
  ...(Object.values(COMMANDS) as Row[]).map(({ options }) => options),
  { 'no-wait': NO_WAIT },
  EVERYWHERE,
);

const SHORT: Readonly<Record<string, string>> = { help: 'h', quiet: 'q' };
const TOKEN_OPTIONS = Object.fromEntries(
  Object.entries(ALL_OPTIONS).map(([name, { kind }]) => [
    name,
    {
      type: kind === 'flag' ? ('boolean' as const) : ('string' as const),
      ...(SHORT[name] === undefined ? {} : { short: SHORT[name] }),
    },
  ]),
);

/** `--name value`, `--name=value`, `--flag`, `-h`; everything after `--` is plain. */
export function readWords(argv: readonly string[]): Words {
  const config = { args: [...argv], options: TOKEN_OPTIONS, strict: false, tokens: true } as const;
  const { tokens } = parseArgs({ ...config, allowPositionals: true });
  const plain: string[] = [];
  const options: Said[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') plain.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName: raw, value, inlineValue } = token;
    if (value?.startsWith('--') === true && inlineValue === false)
      throw new UsageError(`${raw} needs a value; one that begins with -- is written ${raw}=${value}`);
    options.push({ name, raw, value });
  }
  return { plain, options };
}

const meant = (near: string | null): string => (near === null ? '' : ` Did you mean "${near}"?`);

function notFound(plain: readonly string[]): UsageError {
  const [first = ''] = plain;
  if (plain.length === 1 && GROUPS.includes(first)) return new UsageError(`What of "${first}"?`);
  const said = plain.slice(0, GROUPS.includes(first) ? 2 : 1).join(' ');
  const near = nearest(plain.slice(0, 2).join(' '), allWords()) ?? nearest(first, allWords());
  return new UsageError(`There is no command "${said}".${meant(near ?? nearest(first, GROUPS))}`);
}

function refuseUnknown(row: Row, options: readonly Said[]): void {
  const known = optionsOf(row);
  for (const { name, raw, value } of options) {
    const option = known[name];
    if (option === undefined) {
      const near = nearest(name, Object.keys(known));
      throw new UsageError(`There is no option ${raw} here.${meant(near === null ? null : `--${near}`)}`);
    }
    if (option.kind === 'flag' && value !== undefined) throw new UsageError(`${raw} takes no value.`);
    if (option.kind !== 'flag' && value === undefined) throw new UsageError(`${raw} needs a value.`);
  }
}

function optionValue(name: string, option: Option, said: readonly Said[]): unknown {
  if (option.kind === 'flag') return said.length > 0;
  const parse = (text: string) => parseValue(text, `--${name}`, option);
  if (option.many === true) return said.map(({ value = '' }) => parse(value));
  const text = said.at(-1)?.value ?? option.default;
  return text === undefined ? undefined : parse(text);
}

function checkGroup({ rule, of, otherwise }: Group, said: ReadonlySet<string>): void {
  const names = of.filter(name => said.has(name));
  if (names.length > 1 && rule !== 'some')
    throw new UsageError(`Only one of ${names.map(name => `--${name}`).join(' and ')} can be meant.`);
  if (names.length === 0 && rule !== 'most-one') throw new UsageError(otherwise ?? `Say ${of.join(' or ')}.`);
}

function readOptions(row: Row, options: readonly Said[]): AnyGiven {
  const said = new Set(options.map(({ name }) => name));
  const given: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(optionsOf(row)))
    given[name] = optionValue(
      name,
      option,
      options.filter(one => one.name === name),
    );
  for (const [name, { required }] of Object.entries(row.options))
    if (required !== undefined && !said.has(name)) throw new UsageError(required);
  for (const group of row.groups ?? []) checkGroup(group, said);
  return given;
}

function argumentValue(argument: Argument, word: string | undefined): unknown {
  const text = word ?? argument.default;
  if (text === undefined && argument.optional === true) return undefined;
  const isAllowed = text !== undefined && (text.trim() !== '' || argument.or?.includes(text) === true);
  if (!isAllowed) throw new UsageError(`${argument.name} is missing.`);
  return parseValue(text, argument.name, argument);
}

function readArguments(row: Row, words: readonly string[]): AnyGiven {
  const given: Record<string, unknown> = {};
  let used = 0;
  for (const argument of row.arguments) {
    if (argument.many === true) {
      given[argument.name] = words.slice(used).map(word => parseValue(word, argument.name, argument));
      used = words.length;
    } else given[argument.name] = argumentValue(argument, words[used++]);
  }
  const [surplus] = words.slice(used);
  if (surplus !== undefined) throw new UsageError(`"${surplus}" is one word too many here.`);
  return given;
}

/** Throws UsageError when the words make no command. */
export function parse(argv: readonly string[]): Asked {
  const { plain, options } = readWords(argv);
  const isHelp = options.some(({ name }) => name === 'help');
  const found = findCommand(plain);
  if (found === null) {
    const [first] = plain;
    if (first === undefined) {
      refuseUnknown({ help: '', arguments: [], options: {} }, options);
      return { kind: 'help', of: null };
    }
    if (isHelp && plain.length === 1 && GROUPS.includes(first)) return { kind: 'help', of: first };
    throw notFound(plain);
  }
  const { name, row, length } = found;
  if (isHelp) return { kind: 'help', of: name };
  refuseUnknown(row, options);
  const given = { ...readOptions(row, options), ...readArguments(row, plain.slice(length)) };
  return { kind: 'run', parsed: { name, row, given } };
}
