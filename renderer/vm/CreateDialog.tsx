// Creates a VM from the sample, an installer ISO, or an existing disk. Errors stand in words beside their
// fields. The dialog stays until the VM exists or the person sends the work to the background.
import { Disc3, HardDrive, Sparkles } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import type { TaskId, VmId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import { errorBodyOf } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import {
  type CreateForm,
  type CreateKind,
  createProblems,
  firstForm,
  toParams,
  withKind,
} from '../state/create-form.ts';
import { goTo } from '../state/navigation.ts';
import { forgetOffered, offeredFile } from '../state/offered-file.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { useService, useVms } from '../ui/hooks.ts';
import { ErrorWords, Notice } from '../ui/Notice.tsx';
import { StopTask, TaskProgress } from '../ui/TaskProgress.tsx';
import { CreateFields } from './CreateFields.tsx';

const KINDS: readonly { kind: CreateKind; Sign: typeof Disc3 }[] = [
  { kind: 'sample', Sign: Sparkles },
  { kind: 'iso', Sign: Disc3 },
  { kind: 'disk', Sign: HardDrive },
];

function KindPicker(props: { readonly value: CreateKind; readonly onChange: (kind: CreateKind) => void }) {
  const { text } = useSpeech();
  const words = {
    sample: [text.create.sample, text.create.sampleText],
    iso: [text.create.iso, text.create.isoText],
    disk: [text.create.disk, text.create.diskText],
  } as const;
  return (
    <div className="kinds" role="radiogroup" aria-label={text.create.source}>
      {KINDS.map(({ kind, Sign }) => (
        <label key={kind} className={kind === props.value ? 'on' : ''}>
          <input
            type="radio"
            name="create-kind"
            checked={kind === props.value}
            onChange={() => props.onChange(kind)}
          />
          <Sign size={18} strokeWidth={1.6} aria-hidden />
          <strong>{words[kind][0]}</strong>
          <span>{words[kind][1]}</span>
        </label>
      ))}
    </div>
  );
}

function Working(props: { readonly task: Task | null; readonly name: string; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const { task } = props;
  return (
    <Dialog
      title={text.create.creating(props.name)}
      onClose={props.onClose}
      keepOpen
      actions={
        <>
          {task?.canCancel === true ? <StopTask task={task} verb={text.create.stop} /> : null}
          <Button onPress={props.onClose}>{text.create.background}</Button>
        </>
      }
    >
      <TaskProgress task={task} label={task === null ? text.app.loading : text.create.creating(props.name)} />
    </Dialog>
  );
}

interface Work {
  readonly taskId: TaskId;
  readonly vmId: VmId;
}

/** Follows the create task: its end brings the person to the VM, or back to the form with the reason. */
function useWork(onFail: (error: ErrorBody | null) => void) {
  const [work, setWork] = useState<Work | null>(null);
  const task = useService(state => state.tasks.find(other => other.id === work?.taskId) ?? null);
  const state = task?.state ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the task's state moves this on
  useEffect(() => {
    if (work === null || state === null || state === 'running') return;
    setWork(null);
    if (state === 'done') goTo({ kind: 'vm', vmId: work.vmId, tab: 'summary' });
    else onFail(task?.error ?? null);
  }, [state, work]);
  return { work, task, setWork };
}

export function CreateDialog(props: { readonly onClose: () => void }) {
  const { text } = useSpeech();
  const vms = useVms();
  const host = useService(state => state.host);
  const names = vms.map(vm => vm.spec.name);
  const [form, setForm] = useState<CreateForm>(() => {
    const file = offeredFile();
    const kind = file === null ? 'sample' : 'disk';
    return { ...firstForm(kind, { baseName: text.create.defaultNames[kind], names, host }), file };
  });
  useEffect(forgetOffered, []);
  const [tried, setTried] = useState(false);
  const [isSending, setSending] = useState(false);
  const [error, setError] = useState<ErrorBody | null>(null);
  const { work, task, setWork } = useWork(setError);
  const problems = createProblems(form, { names, text });
  const create = async (): Promise<void> => {
    setTried(true);
    setError(null);
    const params = toParams(form);
    if (Object.keys(problems).length > 0 || params === null) return;
    setSending(true);
    try {
      setWork(await call('vm.create', params));
    } catch (fault) {
      setError(errorBodyOf(fault));
    } finally {
      setSending(false);
    }
  };
  if (work !== null) return <Working task={task} name={form.name} onClose={props.onClose} />;
  return (
    <Dialog
      title={text.create.title}
      size="wide"
      keepOpen
      onClose={props.onClose}
      actions={
        <>
          <Button onPress={props.onClose}>{text.app.cancel}</Button>
          <Button
            needs="vm.create"
            look="go"
            onPress={create}
            isDisabled={isSending || form.file?.kind === 'uploading'}
          >
            {text.create.verb}
          </Button>
        </>
      }
    >
      {error === null ? null : (
        <Notice tone="bad" title={text.app.failed(text.create.verb)} live="assertive">
          <ErrorWords body={error} />
        </Notice>
      )}
      <KindPicker
        value={form.kind}
        onChange={kind =>
          setForm(old => {
            const { [kind]: baseName, [old.kind]: oldName } = text.create.defaultNames;
            return withKind(old, kind, { baseName, oldName, names, host });
          })
        }
      />
      <CreateFields form={form} onChange={setForm} problems={tried ? problems : {}} host={host} />
    </Dialog>
  );
}
