// The manual page ebb(1), made from the table in the man macros every troff knows. Pure.
import { EXITS } from './exits.ts';
import { docOf, usageOf, valueWord } from './help.ts';
import { shownCommands } from './table.ts';
import { EVERYWHERE, NO_WAIT, type Option, type Row } from './words.ts';

/** A backslash, a leading dot or quote, and a hyphen mean something to troff. */
const plain = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^([.'])/, '\\&$1');
const entry = (head: string, text: string): string[] => ['.TP', `.B ${plain(head)}`, `${plain(text)}.`];

const optionHead = (name: string, option: Option): string =>
  option.kind === 'flag' ? `--${name}` : `--${name} ${valueWord(option)}`;

function command(name: string, row: Row): string[] {
  const own = Object.entries(row.options).map(([option, value]) =>
    entry(optionHead(option, value), docOf(value)),
  );
  return [
    `.SS ebb ${plain(name)}`,
    `.B ebb ${plain(name)}`,
    ...(usageOf(row) === '' ? [] : [plain(usageOf(row))]),
    '.PP',
    `${plain(row.help)}.`,
    ...(row.alias === undefined ? [] : [`Also: ebb ${plain(row.alias)}.`]),
    ...row.arguments.flatMap(argument => entry(argument.name, docOf(argument))),
    ...own.flat(),
  ];
}

export function manPage(): string {
  return `${[
    '.TH EBB 1 "" "Ebb" "User Commands"',
    '.SH NAME',
    'ebb \\- local virtual machines: memory goes where it is needed, disks go back in time',
    '.SH SYNOPSIS',
    '.B ebb',
    'COMMAND [WORD ...] [\\-\\-OPTION ...]',
    '.SH DESCRIPTION',
    'The whole of Ebb from a terminal, through the same service as its window, which is started when it does not run.',
    'A VM is named by its name or by the beginning of its id;',
    'a point by its name, by the beginning of its id, or counted back from now: @\\-1 is the newest.',
    '.SH OPTIONS',
    ...Object.entries(EVERYWHERE).flatMap(([name, option]) => entry(`--${name}`, docOf(option))),
    ...entry('--no-wait', `${NO_WAIT.doc}; only of commands that begin a task`),
    '.SH COMMANDS',
    ...shownCommands().flatMap(([name, row]) => command(name, row)),
    '.SH EXIT STATUS',
    ...EXITS.flatMap(({ code, doc }) => entry(String(code), doc)),
    '.SH ENVIRONMENT',
    ...entry('EBB_DATA', 'The data folder, instead of $XDG_DATA_HOME/ebb'),
    '.SH EXAMPLES',
    '.EX',
    ...EXAMPLES.map(plain),
    '.EE',
  ].join('\n')}\n`;
}

const EXAMPLES = [
  'ebb vm create demo --sample --mem-max 1G',
  'ebb vm start demo',
  'ebb point take demo before-update',
  'ebb point go-back demo before-update --shutdown',
  'ebb mem why demo',
  "ebb vm list --json | jq -r '.[].spec.name'",
];
