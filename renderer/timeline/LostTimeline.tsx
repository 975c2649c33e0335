// Shown when timeline.db is lost while the images exist (T5): what happened, what is safe, one button.
import { X } from 'lucide-react';
import type { ErrorBody } from '../../shared/errors.ts';
import type { Rescued } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { isOver } from '../../shared/vm-phase.ts';
import { shutDownVm } from '../api/commands.ts';
import { askTimeline, call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import { CommandError } from '../ui/TaskProgress.tsx';
import { useCommand } from '../ui/use-command.ts';

export function LostTimeline(props: {
  readonly vm: VmSummary;
  readonly error: ErrorBody;
  readonly loss: 'gone' | 'unreadable';
  readonly onRescued: (rescued: Rescued) => void;
}) {
  const { text } = useSpeech();
  const { vm, error, loss } = props;
  const words = text.lost;
  const { error: refusal, isSending, send } = useCommand();
  const { phase } = vm.state;
  const isOff = isOver(phase);
  const rescue = async (): Promise<void> => {
    const rescued = await send(() => call('vm.rescue', { vmId: vm.spec.id }));
    if (rescued === null) return;
    props.onRescued(rescued);
    await askTimeline(vm.spec.id);
  };
  const [title, safe] =
    loss === 'gone' ? [words.goneTitle, words.safe] : [words.unreadableTitle, words.safeUnreadable];
  return (
    <section className="lost" aria-label={title}>
      <h2>{title}</h2>
      {loss === 'gone' ? <p>{words.gone(vm.spec.name)}</p> : <p>{error.what}</p>}
      <p className="keep">{safe}</p>
      <CommandError verb={words.verb} error={refusal} />
      <div className="lost-actions">
        <Button needs="vm.rescue" look="go" onPress={rescue} isDisabled={!isOff || isSending}>
          {isSending ? words.working : words.verb}
        </Button>
        {phase === 'running' ? (
          <Button needs="vm.stop" onPress={() => shutDownVm(vm.spec.id)}>
            {text.vm.shutdown}
          </Button>
        ) : null}
        <Button look="flat" onPress={() => askTimeline(vm.spec.id)}>
          {text.app.retry}
        </Button>
      </div>
      {isOff ? null : <p className="soft">{words.mustBeOff(vm.spec.name)}</p>}
      {loss === 'gone' ? (
        <details>
          <summary>{words.details}</summary>
          <p className="soft wrap">{error.what}</p>
        </details>
      ) : null}
    </section>
  );
}

export function RescuedNotice(props: { readonly rescued: Rescued; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const { points, nameless, notes } = props.rescued;
  const words = text.lost;
  return (
    <Notice
      tone="good"
      title={words.doneTitle}
      live="polite"
      action={
        <Button look="icon" label={text.app.dismiss} onPress={props.onClose}>
          <X size={16} aria-hidden />
        </Button>
      }
    >
      <p>{words.done(points, nameless)}</p>
      {notes.length === 0 ? null : (
        <details>
          <summary>{words.notes}</summary>
          <ul>
            {notes.map(note => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </Notice>
  );
}
