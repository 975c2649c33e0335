#!/usr/bin/env node
// `ebb`: the whole app from a terminal, through the contract alone. Exit codes: 0 ok · 1 failed · 2 usage · 3 not found ·
// 4 wrong state · 5 not enough memory · 6 not enough disk · 7 guest refused or timed out · 8 integrity · 77 denied.
import { resolve } from 'node:path';
import { type ErrorCode, errorText } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import { connectClient } from '../../../shared/rpc/client.ts';
import { contract } from '../../../shared/rpc/contract.ts';
import type { Task } from '../../../shared/task.ts';
import { ensureControl } from '../../control/start-on-demand.ts';
import { pause } from '../../platform/clock.ts';
import { defaultDataFolder } from '../../platform/paths.ts';
import { NotFoundError, readWords, UsageError, type Words } from './arguments.ts';
import { COMMANDS } from './commands.ts';
import type { Command, Session } from './session.ts';

const FLAGS = new Set(['json', 'help', 'sample', 'force', 'shutdown', 'yes', 'no-balloon', 'purge']);
const TASK_POLL_MS = 100;

const EXIT: Readonly<Partial<Record<ErrorCode, number>>> = {
  'vm.not-found': 3,
  'moment.not-found': 3,
  'disk.not-found': 3,
  'task.not-found': 3,
  'vm.wrong-state': 4,
  'moment.pinned': 4,
  'memory.not-enough': 5,
  'memory.over-host': 5,
  'disk.full': 6,
  'vm.timeout': 7,
  'memory.guest-refuses': 7,
  'vhd.corrupt': 8,
  'disk.poisoned': 8,
  'rpc.denied': 77,
  'memory.over-cap': 77,
  cancelled: 130,
};

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map(name => name.length));
  const lines = Object.entries(COMMANDS).map(
    ([name, { help: text }]) => `  ebb ${name.padEnd(width)}  ${text}`,
  );
  return [
    'Ebb: memory goes where it is needed, history never slows down now.',
    '',
    ...lines,
    '',
    '  --json for scripts; --help after a command for its words. VM: a name or the beginning of an id.',
    '  POINT: a name, the beginning of an id, or @-1 for the newest.',
  ].join('\n');
}

function find(plain: readonly string[]): readonly [string, Command] | null {
  for (const length of [2, 1]) {
    const name = plain.slice(0, length).join(' ');
    const command = COMMANDS[name];
    if (command !== undefined && plain.length >= length) return [name, command];
  }
  return null;
}

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
    const isAsked = words.plain.length === 0 || words.options.help === true;
    (isAsked ? console.log : console.error)(
      isAsked ? help() : `ebb: there is no command "${words.plain.join(' ')}". See: ebb --help`,
    );
    return words.plain.length === 0 ? 0 : 2;
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
    console.log(words.options.json === true ? JSON.stringify(output.json) : output.text);
    return 0;
  } finally {
    client.close();
  }
}

function report(error: unknown, isJson: boolean): number {
  if (error instanceof UsageError) {
    const found = find(argv.filter(word => !word.startsWith('--')));
    console.error(
      `ebb: ${error.message}\n${found === null ? 'See: ebb --help' : `usage: ebb ${found[0]} ${found[1].usage}`}`,
    );
    return 2;
  }
  if (error instanceof NotFoundError) {
    console.error(`ebb: ${error.message}`);
    return 3;
  }
  if (!(error instanceof Fault)) {
    console.error(error);
    return 1;
  }
  console.error(isJson ? JSON.stringify({ error: error.body }) : `ebb: ${errorText(error.body)}`);
  return EXIT[error.body.code] ?? 1;
}

const argv = process.argv.slice(2);
process.exit(await run(argv).catch((error: unknown) => report(error, argv.includes('--json'))));
