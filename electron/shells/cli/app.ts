// `ebb task …`, `ebb events` and the commands about Ebb itself.

import { Fault } from '../../../shared/result.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { TopicName } from '../../../shared/rpc/table.ts';
import { interrupted, writeOut } from '../../platform/standard-streams.ts';
import { EXIT_INTERRUPTED } from './exits.ts';
import { clockText, table } from './output.ts';
import { pickTask } from './pick.ts';
import { stepText } from './progress.ts';
import { type Output, type Run, type Session, vmNamed } from './session.ts';
import type { APP_ROWS } from './table/app.ts';
import { UsageError } from './values.ts';

type Rows = typeof APP_ROWS;

export const listTasks: Run<Rows['task list']> = async ({ client }) => {
  const { tasks } = await client.call('task.list', {});
  const rows = tasks.map(task => {
    const { id, title, state, progress, startedAt, error } = task;
    return [
      id.slice(0, 8),
      title,
      task.isPaused ? 'paused' : state,
      progress === null || state !== 'running' ? '' : `${Math.floor(progress * 100)} %`,
      clockText(startedAt),
      error?.what ?? (state === 'running' ? stepText({ ...task, isPaused: false }) : ''),
    ];
  });
  const head = ['ID', 'TASK', 'STATE', 'DONE', 'SINCE', 'STEP'];
  return { text: rows.length === 0 ? 'No tasks since the service started.' : table(head, rows), json: tasks };
};

const theTask = async ({ client, given }: Session<{ readonly TASK: string }>) =>
  pickTask((await client.call('task.list', {})).tasks, given.TASK);

export const followTask: Run<Rows['task follow']> = async session => {
  const task = await session.wait((await theTask(session)).id);
  return { text: `${task.title}: done.`, json: task };
};

export const cancelTask: Run<Rows['task cancel']> = async session => {
  const { id, title, state, canCancel } = await theTask(session);
  if (state === 'running' && !canCancel)
    throw new Fault({
      code: 'vm.wrong-state',
      what: `${title}: it cannot be stopped half-way.`,
      safe: 'It goes on to a state that is whole.',
      todo: `Wait for it: ebb task follow ${id.slice(0, 8)}`,
    });
  await session.client.call('task.cancel', { taskId: id });
  return { text: `${title}: asked to stop.`, json: { taskId: id } };
};

export const pauseTask: Run<Rows['task pause']> = async session => {
  const { id, title } = await theTask(session);
  await session.client.call('task.pause', { taskId: id });
  return {
    text: `${title}: paused. Let it go on: ebb task resume ${id.slice(0, 8)}`,
    json: { taskId: id },
  };
};

export const resumeTask: Run<Rows['task resume']> = async session => {
  const { id, title } = await theTask(session);
  await session.client.call('task.resume', { taskId: id });
  return { text: `${title}: goes on.`, json: { taskId: id } };
};

type Topic = Exclude<TopicName<Contract>, 'console' | 'serial'>;
const USUAL: readonly Topic[] = ['vms', 'host', 'tasks', 'ledger'];

/** A line {"topic": …, "revision": …, "payload": …} per event, until an interrupt or the service's end. */
export const streamEvents: Run<Rows['events']> = async (session): Promise<Output> => {
  const { client, given } = session;
  const topics = given.TOPIC.length === 0 ? USUAL : given.TOPIC;
  if (topics.includes('timeline') && given.vm === undefined)
    throw new UsageError('Say whose timeline: --vm VM.');
  const key = given.vm === undefined ? null : (await vmNamed(session, given.vm)).spec.id;
  await new Promise<void>((resolve, reject) => {
    for (const topic of new Set(topics))
      client.subscribe(
        topic,
        topic === 'timeline' ? key : null,
        (payload, revision) => {
          writeOut(`${JSON.stringify({ topic, revision, payload })}\n`).catch(reject);
        },
        error => reject(new Fault(error)),
      );
    void interrupted().then(resolve);
  });
  return { text: null, json: null, exit: EXIT_INTERRUPTED };
};

export const doctor: Run<Rows['doctor']> = async ({ client }) => {
  const report = await client.call('doctor.run', {});
  const signs = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;
  const text = report.checks
    .map(
      row => `${signs[row.state]}  ${row.title}: ${row.found}${row.fix === '' ? '' : `\n      → ${row.fix}`}`,
    )
    .join('\n');
  return { text, json: report };
};

export const version: Run<Rows['version']> = async ({ client }) => {
  const info = await client.call('app.info', {});
  return { text: `Ebb ${info.version} (process ${info.pid}, data in ${info.dataFolder})`, json: info };
};

export const quit: Run<Rows['quit']> = async ({ client }) => {
  await client.call('app.quit', {});
  return { text: 'Ebb ended.', json: {} };
};
