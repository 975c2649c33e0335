#!/usr/bin/env node
// `ebb`: the whole app from a terminal, through the contract alone. table.ts lists the commands; the code of
// a command is loaded once the command is known. Exit codes: exits.ts.
import { resolve } from 'node:path';
import { isUnread, onUnread, writeOut } from '../../platform/standard-streams.ts';
import { EXIT_INTERRUPTED, EXIT_OK, EXIT_UNREAD } from './exits.ts';
import { helpOf, usageLine } from './help.ts';
import { type AnyGiven, type Asked, type Parsed, parse } from './parse.ts';
import { endingOf, endingText } from './report.ts';
import type { Output, Session } from './session.ts';
import { findCommand, GROUPS, LOCAL_COMMANDS, type LocalName, type ServiceName } from './table.ts';
import { UsageError } from './values.ts';

const isLocal = (name: string): name is LocalName => name in LOCAL_COMMANDS;

async function local(name: LocalName, given: AnyGiven): Promise<string | Output> {
  switch (name) {
    case 'help': {
      const of = (given.COMMAND as string[]).join(' ');
      const text = helpOf(of === '' ? null : (findCommand(given.COMMAND as string[])?.name ?? of));
      if (text === undefined) throw new UsageError(`There is no command "${of}".`);
      return text;
    }
    case 'serve':
      return (await import('./serve.ts')).serveBrowsers(
        given as unknown as Parameters<typeof import('./serve.ts').serveBrowsers>[0],
      );
    case 'support bundle':
      return (await import('./support.ts')).writeBundle({
        to: given.to === undefined ? undefined : resolve(String(given.to)),
        yes: given.yes === true,
      });
    case 'completion':
      return (await import('./completion.ts')).SCRIPTS[given.SHELL as 'bash'].trimEnd();
    case 'man':
      return (await import('./man.ts')).manPage().trimEnd();
    case 'policy validate':
      return (await import('./policy.ts')).validatePolicy(
        resolve(given.FILE as string),
        given.recommended === true,
      );
    case 'policy schema':
      return (await import('./policy.ts')).schemaText();
    case '__complete':
      return (await import('./complete.ts')).complete(given.WORD as string[]);
  }
}

/** The command's answer in the wanted form: text, one JSON document, or a last line of JSON. */
function written({ text, json }: Output, given: AnyGiven): string | null {
  if (text === null) return null;
  if (given.ndjson === true) return JSON.stringify({ result: json });
  return given.json === true ? JSON.stringify(json) : text;
}

/** The code of a command. The casts are safe: its types come from the row by which the words were parsed. */
async function runnerOf(name: ServiceName): Promise<(session: Session) => Promise<Output>> {
  const { RUNNERS } = await import('./runners.ts');
  return (await RUNNERS[name]()) as unknown as (session: Session) => Promise<Output>;
}

async function served(name: ServiceName, given: AnyGiven): Promise<number> {
  const [client, run, { Begun, follow, watcherFor }] = await Promise.all([
    import('./connect.ts').then(({ open }) => open()),
    runnerOf(name),
    import('./tasks.ts'),
  ]);
  let isInterrupted = false;
  const session: Session = {
    client,
    given,
    isJson: given.json === true || given.ndjson === true,
    absolute: path => resolve(path),
    wait: async (taskId, known = {}) => {
      if (given['no-wait'] === true) throw new Begun({ taskId, ...known });
      const atInterrupt = name === 'task follow' ? 'leave' : 'cancel';
      const followed = await follow({ client, taskId, watcher: watcherFor(given), atInterrupt });
      isInterrupted = followed.isInterrupted;
      return followed.task;
    },
  };
  try {
    // --no-wait: what is known when the task begins is the answer.
    const output = await run(session).catch((error: unknown): Output => {
      if (!(error instanceof Begun)) throw error;
      return { text: error.known.taskId ?? '', json: error.known };
    });
    const text = written(output, given);
    if (text !== null) await writeOut(`${text}\n`);
    return isInterrupted ? EXIT_INTERRUPTED : (output.exit ?? EXIT_OK);
  } finally {
    client.close();
  }
}

/** The answer of a command that, with these options, needs no service; null: it needs one. */
async function unserved(name: ServiceName, given: AnyGiven): Promise<Output | null> {
  if (name !== 'audit verify' || given.FILE === undefined) return null;
  return (await import('./audit.ts')).verifyFile(String(given.FILE), given.head as string | undefined);
}

async function run({ name, given }: Parsed): Promise<number> {
  const found = isLocal(name) ? await local(name, given) : await unserved(name, given);
  if (found === null) return served(name as ServiceName, given);
  const output = typeof found === 'string' ? { text: found || null, json: found } : found;
  const text = typeof found === 'string' ? output.text : written(output, given);
  if (text !== null)
    await writeOut(`${text}
`);
  return output.exit ?? EXIT_OK;
}

async function doAsked(asked: Asked): Promise<number> {
  if (asked.kind === 'run') return run(asked.parsed);
  await writeOut(`${helpOf(asked.of) ?? ''}\n`);
  return EXIT_OK;
}

/** The usage of the command that was meant, or where to look. */
function usageFor(argv: readonly string[]): string {
  const words = argv.filter(word => !word.startsWith('-'));
  const found = findCommand(words);
  if (found !== null) return usageLine(found.name);
  const [first = ''] = words;
  return `See: ebb ${GROUPS.includes(first) ? `${first} ` : ''}--help`;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    return await doAsked(parse(argv));
  } catch (error) {
    if (isUnread(error)) return EXIT_UNREAD;
    const ending = endingOf(error, usageFor(argv));
    const isJson = argv.some(word => word === '--json' || word === '--ndjson');
    console.error(isJson ? JSON.stringify({ error: ending.body }) : endingText(ending));
    return ending.exit;
  }
}

onUnread(() => process.exit(EXIT_UNREAD));
process.exit(await main(process.argv.slice(2)));
