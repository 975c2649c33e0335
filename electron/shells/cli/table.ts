// Every command. Plain data that imports only data: every start reads it first, so it must load quickly.
import { ACCESS_ROWS, LOCAL_ACCESS_ROWS } from './table/access.ts';
import { APP_ROWS, LOCAL_ROWS } from './table/app.ts';
import { AUDIT_ROWS } from './table/audit.ts';
import { HISTORY_ROWS } from './table/history.ts';
import { MEMORY_ROWS } from './table/memory.ts';
import { POINT_ROWS } from './table/points.ts';
import { LOCAL_POLICY_ROWS, POLICY_ROWS } from './table/policy.ts';
import { SETUP_ROWS } from './table/setup.ts';
import { VM_ROWS } from './table/vms.ts';
import type { Row } from './words.ts';

export const SERVICE_COMMANDS = {
  ...VM_ROWS,
  ...SETUP_ROWS,
  ...POINT_ROWS,
  ...HISTORY_ROWS,
  ...MEMORY_ROWS,
  ...POLICY_ROWS,
  ...AUDIT_ROWS,
  ...ACCESS_ROWS,
  ...APP_ROWS,
};
export const LOCAL_COMMANDS = { ...LOCAL_ACCESS_ROWS, ...LOCAL_ROWS, ...LOCAL_POLICY_ROWS };
export const COMMANDS = { ...SERVICE_COMMANDS, ...LOCAL_COMMANDS };

export type ServiceName = keyof typeof SERVICE_COMMANDS;
export type LocalName = keyof typeof LOCAL_COMMANDS;
export type CommandName = ServiceName | LocalName;

/** Commands by the words people type, old aliases included. */
const BY_WORDS: ReadonlyMap<string, CommandName> = new Map(
  (Object.keys(COMMANDS) as CommandName[]).flatMap(name => {
    const { alias }: Row = COMMANDS[name];
    return alias === undefined
      ? [[name, name] as const]
      : ([
          [name, name],
          [alias, name],
        ] as const);
  }),
);

export interface Found {
  readonly name: CommandName;
  readonly row: Row;
  /** How many of the words name the command. */
  readonly length: number;
}

/** The command that the words begin with. */
export function findCommand(words: readonly string[]): Found | null {
  for (const length of [2, 1]) {
    const name = words.length < length ? undefined : BY_WORDS.get(words.slice(0, length).join(' '));
    if (name !== undefined) return { name, row: COMMANDS[name], length };
  }
  return null;
}

export const shownCommands = (): (readonly [CommandName, Row])[] =>
  (Object.entries(COMMANDS) as [CommandName, Row][]).filter(([, { isHidden }]) => isHidden !== true);

/** First words of commands of two words: vm, point, mem … */
export const GROUPS: readonly string[] = [
  ...new Set(Object.keys(COMMANDS).flatMap(name => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : []))),
];

/** All words that name a command, to find the one nearest to a mistyped word. */
export const allWords = (): string[] => [...BY_WORDS.keys()].filter(words => !words.startsWith('__'));
