// Makes a disk larger: tells the rules before, and afterwards whether the guest knows of it.
import { useState } from 'react';
import { GIB } from '../../shared/units.ts';
import type { VmSpec, VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { Notice } from '../ui/Notice.tsx';
import { CommandError } from '../ui/TaskProgress.tsx';
import { useCommand } from '../ui/use-command.ts';
import { isRunning } from '../view/attention.ts';
import { formatBytes } from '../view/format.ts';
import { type GrowWish, growWish } from '../view/grow.ts';

interface Grown {
  readonly virtualBytes: number;
  readonly laterBecause: string | null;
}

function useProblem(nowBytes: number): (wish: GrowWish) => string | null {
  const { text, language } = useSpeech();
  const words = text.disks.problems;
  return wish => {
    if (!('problem' in wish)) return null;
    return wish.problem === 'not-larger'
      ? words['not-larger'](formatBytes(nowBytes, language))
      : words[wish.problem];
  };
}

function Outcome(props: { readonly vm: VmSummary; readonly name: string; readonly grown: Grown }) {
  const { text, language } = useSpeech();
  const { virtualBytes, laterBecause } = props.grown;
  const words = text.disks;
  return (
    <>
      <Notice tone="good" title={words.grown(props.name, formatBytes(virtualBytes, language))} live="polite">
        {laterBecause === null ? words.extend : null}
      </Notice>
      {laterBecause === null ? null : (
        <Notice tone="calm" title={words.later(props.vm.spec.name)} live="polite">
          <p>{laterBecause}</p>
          <p>{words.extend}</p>
        </Notice>
      )}
    </>
  );
}

export function GrowDialog(props: {
  readonly vm: VmSummary;
  readonly disk: VmSpec['disks'][number];
  /** The disk's number, counted from 1. */
  readonly index: number;
  readonly onClose: () => void;
}) {
  const { text, language } = useSpeech();
  const { vm, index } = props;
  // The disk grows while the dialog is open; the typed size is compared with its size at the beginning.
  const [nowBytes] = useState(props.disk.virtualBytes);
  const [typed, setTyped] = useState('');
  const [grown, setGrown] = useState<Grown | null>(null);
  const { error, isSending, send } = useCommand();
  const wish = growWish(typed, nowBytes);
  const problem = useProblem(nowBytes)(wish);
  const words = text.disks;
  const grow = async (): Promise<void> => {
    if ('problem' in wish) return;
    const params = { vmId: vm.spec.id, diskId: props.disk.id, virtualBytes: wish.bytes };
    setGrown(await send(() => call('disk.grow', params)));
  };
  return (
    <Dialog
      title={words.growTitle(index)}
      onClose={props.onClose}
      actions={
        grown === null ? (
          <>
            <Button onPress={props.onClose}>{text.app.cancel}</Button>
            <Button needs="disk.grow" look="go" onPress={grow} isDisabled={problem !== null || isSending}>
              {words.verb}
            </Button>
          </>
        ) : (
          <Button look="go" onPress={props.onClose}>
            {text.app.close}
          </Button>
        )
      }
    >
      {grown !== null ? (
        <Outcome vm={vm} name={words.disk(index)} grown={grown} />
      ) : (
        <>
          <CommandError verb={words.verb} error={error} />
          <Field
            label={words.size}
            help={words.sizeHelp(formatBytes(nowBytes, language))}
            error={typed.trim() === '' ? null : problem}
          >
            {control => (
              <span className={`amount ${control['aria-invalid'] ? 'invalid' : ''}`}>
                <input
                  {...control}
                  autoFocus
                  inputMode="decimal"
                  maxLength={16}
                  placeholder={String(Math.ceil(nowBytes / GIB) * 2)}
                  value={typed}
                  onChange={event => setTyped(event.target.value)}
                  onKeyDown={event => event.key === 'Enter' && void grow()}
                />
                <span aria-hidden>{words.unit}</span>
              </span>
            )}
          </Field>
          <p className="soft">{words.points}</p>
          <p className="soft">{words.never}</p>
          {isRunning(vm) ? <p className="soft">{words.running(vm.spec.name)}</p> : null}
        </>
      )}
    </Dialog>
  );
}
