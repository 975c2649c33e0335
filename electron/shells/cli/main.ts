#!/usr/bin/env node
// `ebb`: the whole app from a terminal, through the contract alone. Exit codes: report.ts.
import { resolve } from 'node:path';
import { Fault } from '../../../shared/result.ts';
import { connectClient } from '../../../shared/rpc/client.ts';
import { contract } from '../../../shared/rpc/contract.ts';
import type { Task } from '../../../shared/task.ts';
import { ensureControl } from '../../control/start-on-demand.ts';
import { pause } from '../../platform/clock.ts';
import { defaultDataFolder } from '../../platform/paths.ts';
import { readWords, UsageError, type Words } from './arguments.ts';
import { COMMANDS } from './commands.ts';
import { endingOf, endingText } from './report.ts';
import type { Command, Session } from './session.ts';

const FLAGS = new Set([
  'json',
  'help',
  'sample',
  'empty',
  'force',
  'shutdown',
  'yes',
  'no-balloon',
  'purge',
  'history',
  'linked',
  'replace',
  'replay',
]);
const TASK_POLL_MS = 100;

/** All commands, or a group's: `ebb point --help`. */
function help(group = ''): string {
  const rows = Object.entries(COMMANDS).filter(([name]) => group === '' || name.startsWith(`${group} `));
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    'Ebb: memory goes where it is needed, history never slows down now.',
    '',
    ...rows.map(([name, command]) => `  ebb ${name.padEnd(width)}  ${command.help}`),
    '',
    '  --json for scripts; --help after a command for its words. VM: a name or the beginning of an id.',
    '  POINT: a name, the beginning of an id, or @-1 for the newest.',
  ].join('\n');
}

const isGroup = (word: string | undefined): word is string =>
  word !== undefined && Object.keys(COMMANDS).some(name => name.startsWith(`${word} `));

function find(plain: readonly string[]): readonly [string, Command] | null {
  for (const length of [2, 1]) {
    const name = plain.slice(0, length).join(' ');
    const command = COMMANDS[name];
    if (command !== undefined && plain.length >= length) return [name, command];
  }
  return null;
}

const cancelled = ({ title }: Task) => ({
  code: 'cancelled' as const,
  what: `${title}: cancelled before it was done.`,
  safe: 'What it had begun was given up; everything else is as it was.',
  todo: 'Run the command again to have it done.',
});

async function waitForTask(client: Session['client'], taskId: string): Promise<Task> {
  let shown = '';
  for (;;) {
    const task = (await client.call('task.list', {})).tasks.find(row => row.id === taskId);
    if (task === undefined)
      throw new Fault({
        code: 'task.not-found',
        what: 'The task is not known any more.',
        safe: 'It ended.',
        todo: 'Look at the VM.',
      });
    const line = `${task.title}: ${task.step}${task.progress === null || task.state !== 'running' ? '' : ` ${Math.round(task.progress * 100)} %`}`;
    if (process.stderr.isTTY && line !== shown) process.stderr.write(`\r\x1b[K${line}`);
    shown = line;
    if (task.state !== 'running') {
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
      if (task.error !== null) throw new Fault(task.error);
      if (task.state === 'cancelled') throw new Fault(cancelled(task));
      return task;
    }
    await pause(TASK_POLL_MS);
  }
}

/** A mistyped option must not be taken for none. */
function refuseUnknown({ options }: Words, usage: string): void {
  const known = new Set(['json', 'help', ...[...usage.matchAll(/--([a-z-]+)/g)].map(match => match[1])]);
  const unknown = Object.keys(options).find(name => !known.has(name));
  if (unknown !== undefined) throw new UsageError(`There is no option --${unknown} here.`);
}

async function run(argv: readonly string[]): Promise<number> {
  const words = readWords(argv, FLAGS);
  const found = find(words.plain);
  if (found === null) {
    const [first] = words.plain;
    const isAsked = words.plain.length === 0 || words.options.help === true;
    if (!isAsked || (first !== undefined && !isGroup(first)))
      throw new UsageError(`There is no command "${words.plain.join(' ')}".`);
    console.log(help(first));
    return 0;
  }
  const [name, command] = found;
  if (words.options.help === true) {
    console.log(`ebb ${name} ${command.usage}\n${command.help}.`);
    return 0;
  }
  refuseUnknown(words, command.usage);
  const { channel } = await ensureControl(defaultDataFolder());
  const client = connectClient(contract, channel);
  await client.ready;
  const session: Session = {
    client,
    words,
    wait: taskId => waitForTask(client, taskId),
    absolute: path => resolve(path),
  };
  try {
    const output = await command.run(session);
    if (output.text !== null)
      console.log(words.options.json === true ? JSON.stringify(output.json) : output.text);
    return output.exit ?? 0;
  } finally {
    client.close();
  }
}

function usageOf(words: readonly string[]): string {
  const found = find(words.filter(word => !word.startsWith('-')));
  if (found !== null) return `usage: ebb ${found[0]} ${found[1].usage}`;
  return `See: ebb ${isGroup(words[0]) ? `${words[0]} ` : ''}--help`;
}

const argv = process.argv.slice(2);
process.exit(
  await run(argv).catch((error: unknown) => {
    const ending = endingOf(error, usageOf(argv));
    console.error(argv.includes('--json') ? JSON.stringify({ error: ending.body }) : endingText(ending));
    return ending.exit;
  }),
);
