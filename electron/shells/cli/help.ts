// The help texts: what one command, a group or all commands do and take. Pure, from the table.
import { COMMANDS, type CommandName, GROUPS, shownCommands } from './table.ts';
import {
  type Argument,
  EVERYWHERE,
  type Group,
  type Option,
  optionsOf,
  type Row,
  type Value,
} from './words.ts';

const KIND_WORDS: Readonly<Record<Value['kind'], string>> = {
  flag: '',
  text: 'TEXT',
  size: 'SIZE',
  memory: 'SIZE',
  count: 'N',
  span: 'TIME',
  choice: '',
  file: 'FILE',
  vm: 'VM',
  deleted: 'VM',
  point: 'POINT',
  trashed: 'POINT',
  disk: 'ID',
  task: 'TASK',
};

/** The placeholder for an option's value: SIZE, on|off, SIZE|none. */
export function valueWord(option: Option): string {
  const plain =
    option.value ?? (option.choices === undefined ? KIND_WORDS[option.kind] : option.choices.join('|'));
  return [plain, ...(option.or ?? [])].join('|');
}

const argumentWord = ({ name, optional, many, default: otherwise }: Argument): string => {
  const word = many === true ? `${name} …` : name;
  return optional === true || many === true || otherwise !== undefined ? `[${word}]` : word;
};

const optionWord = (name: string, option: Option): string =>
  option.kind === 'flag'
    ? `--${name}`
    : `--${name} ${option.choices === undefined ? valueWord(option) : name.toUpperCase()}`;

/** A command's words in brackets: `VM [--min SIZE] (--sample | --empty)`. */
export function usageOf({ arguments: words, options, groups = [], isTask }: Row): string {
  const grouped = new Map<string, Group>();
  for (const group of groups.filter(({ rule }) => rule !== 'some'))
    for (const name of group.of) grouped.set(name, group);
  const parts = words.map(argumentWord);
  for (const [name, option] of Object.entries(options)) {
    const group = grouped.get(name);
    if (group === undefined) {
      const word = optionWord(name, option);
      const said = option.many === true ? `${word} …` : word;
      parts.push(option.required === undefined ? `[${said}]` : said);
    } else if (group.of[0] === name) {
      const inner = group.of.map(one => optionWord(one, options[one] as Option)).join(' | ');
      parts.push(group.rule === 'one' ? `(${inner})` : `[${inner}]`);
    }
  }
  if (isTask === true) parts.push('[--no-wait]');
  return parts.join(' ');
}

export const usageLine = (name: CommandName): string =>
  `usage: ${`ebb ${name} ${usageOf(COMMANDS[name])}`.trimEnd()}`;

/** The doc sentence of a value, with its choices, bounds and default. */
export function docOf(value: Value): string {
  const more = [
    ...(value.choices === undefined ? [] : [`one of ${value.choices.join(', ')}`]),
    ...(value.kind === 'count' && value.most !== undefined ? [`${value.least ?? 0} to ${value.most}`] : []),
    ...(value.kind === 'span' ? [`${value.least} s to ${value.most} s, like 90s or 10m`] : []),
    ...(value.default === undefined || value.default === '' ? [] : [`else ${value.default}`]),
  ];
  return more.length === 0 ? value.doc : `${value.doc} (${more.join('; ')})`;
}

const WIDTH = 100;

/** Two columns: heads, and their texts wrapped at words. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(30, Math.max(0, ...rows.map(([head]) => head.length)));
  return rows.flatMap(([head, text]) => {
    const lines: string[] = [];
    let line = '';
    for (const word of text.split(' ')) {
      if (line !== '' && line.length + word.length + 1 > WIDTH - width) {
        lines.push(line);
        line = '';
      }
      line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
    const wide = head.length > width;
    const first = wide ? [`  ${head}`] : [];
    const beside = (text: string, index: number): string =>
      `  ${(index === 0 && !wide ? head : '').padEnd(width)}  ${text}`;
    return [...first, ...lines.map(beside)];
  });
}

const optionRows = (options: Readonly<Record<string, Option>>): [string, string][] =>
  Object.entries(options).map(([name, option]) => [optionWord(name, option), docOf(option)]);

/** Help of one command: its own options first, those of every command last. */
export function commandHelp(name: CommandName): string {
  const row: Row = COMMANDS[name];
  const own = Object.fromEntries(
    Object.entries(optionsOf(row)).filter(([option]) => !(option in EVERYWHERE)),
  );
  const section = (title: string, rows: readonly (readonly [string, string])[]): string[] =>
    rows.length === 0 ? [] : ['', title, ...columns(rows)];
  return [
    usageLine(name),
    `${row.help}.`,
    ...(row.alias === undefined ? [] : [`Also: ebb ${row.alias}`]),
    ...section(
      'Words',
      row.arguments.map(argument => [argument.name, docOf(argument)] as const),
    ),
    ...section('Options', optionRows(own)),
    ...section('Everywhere', optionRows(EVERYWHERE)),
  ].join('\n');
}

/** A list of all commands, or of those that begin with the group's word. */
export function listHelp(group: string | null): string {
  const rows = shownCommands().filter(([name]) => group === null || name.startsWith(`${group} `));
  return [
    'Ebb: memory goes where it is needed, history never slows down now.',
    '',
    ...columns(rows.map(([name, { help }]) => [`ebb ${name}`, help] as const)),
    '',
    '  ebb COMMAND --help says which words a command takes; --json and --ndjson are for scripts.',
    '  VM: a name or the beginning of an id. POINT: a name, the beginning of an id, or @-1 for the newest.',
  ].join('\n');
}

/** `name` null: all commands. Undefined: nothing has that name. */
export function helpOf(name: string | null): string | undefined {
  if (name === null) return listHelp(null);
  if (GROUPS.includes(name)) return listHelp(name);
  return name in COMMANDS ? commandHelp(name as CommandName) : undefined;
}
