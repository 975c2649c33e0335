// Jobs under way and ended since the service started: steps, pause and stop, how each ended and why.
import { useState } from 'react';
import type { VmId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import { useSpeech } from '../i18n/text.ts';
import { DownloadFile } from '../ui/DownloadFile.tsx';
import { useService } from '../ui/hooks.ts';
import { ErrorWords } from '../ui/Notice.tsx';
import { StopTask, TaskBar, useAmount } from '../ui/TaskProgress.tsx';
import { formatMoment, formatSpan } from '../view/format.ts';
import { Choice, VmChoice } from './Choice.tsx';

type Which = 'all' | 'running' | 'failed';

function Job(props: { readonly task: Task }) {
  const { text, language } = useSpeech();
  const { task } = props;
  const words = text.activity.jobs;
  const amount = useAmount(task);
  const isRunning = task.state === 'running';
  const tone = task.state === 'failed' ? 'bad' : isRunning ? 'calm' : '';
  return (
    <li className="job">
      <div className="job-head">
        <b className="job-title" title={task.title}>
          {task.title}
        </b>
        <span className={`chip ${tone}`}>{task.isPaused ? text.tasks.paused : words.states[task.state]}</span>
        <time className="quiet" dateTime={new Date(task.startedAt).toISOString()}>
          {formatMoment(task.startedAt, language)}
          {task.endedAt === null
            ? ''
            : ` · ${words.took(formatSpan(task.endedAt - task.startedAt, language))}`}
        </time>
      </div>
      {isRunning ? (
        <div className="job-now">
          <TaskBar task={task} label={task.title} />
          <span className="quiet">{[task.step, amount].filter(Boolean).join(' · ')}</span>
          {task.canCancel ? <StopTask task={task} verb={text.app.cancel} /> : null}
        </div>
      ) : null}
      <DownloadFile task={task} />
      {task.error === null ? null : (
        <div className="job-error soft">
          <ErrorWords body={task.error} />
        </div>
      )}
    </li>
  );
}

export function JobsPanel() {
  const { text } = useSpeech();
  const tasks = useService(state => state.tasks);
  const [which, setWhich] = useState<Which>('all');
  const [vmId, setVmId] = useState<VmId | null>(null);
  const words = text.activity.jobs;
  const shown = tasks.filter(
    task => (which === 'all' || task.state === which) && (vmId === null || task.vmId === vmId),
  );
  return (
    <>
      <div className="filters">
        <Choice
          label={text.activity.state}
          value={which}
          options={[
            ['all', words.all],
            ['running', words.running],
            ['failed', words.failed],
          ]}
          onChange={setWhich}
        />
        <VmChoice value={vmId} onChange={setVmId} />
      </div>
      {shown.length === 0 ? (
        <p className="quiet" role="status">
          {tasks.length === 0 ? words.empty : words.none}
        </p>
      ) : (
        <ul className="jobs">
          {shown.map(task => (
            <Job key={task.id} task={task} />
          ))}
        </ul>
      )}
    </>
  );
}
