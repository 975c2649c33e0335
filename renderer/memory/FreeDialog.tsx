// Frees memory for other programs: asks how much and for how long, then shows the service's answer.
import { useState } from 'react';
import type { FreePreview, HostMemory } from '../../shared/memory.ts';
import { GIB_KIB } from '../../shared/units.ts';
import { attempt, endFreeing } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { AmountField } from '../ui/AmountField.tsx';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Segmented } from '../ui/Field.tsx';
import { useService } from '../ui/hooks.ts';
import { Notice } from '../ui/Notice.tsx';
import { formatClock, formatKib, formatSpan } from '../view/format.ts';
import {
  FREE_MINUTES,
  firstAmountKib,
  freeingOutlook,
  MORE_GIB,
  moreKib,
  mostFreeKib,
} from '../view/freeing.ts';
import { ChangesTable } from './ChangesTable.tsx';

const MINUTE_MS = 60_000;

interface Answer {
  readonly preview: FreePreview;
  readonly wantedKib: number;
  readonly until: number;
}

/** What freeing that much would take from VMs, as far as the window can tell. */
function Outlook(props: { readonly host: HostMemory; readonly kib: number }) {
  const { text, language } = useSpeech();
  const { missingKib, lackingKib } = freeingOutlook(props.host, props.kib);
  const size = (kib: number): string => formatKib(kib, language);
  if (lackingKib > 0) return <p className="hint warn">{text.free.lacks(size(mostFreeKib(props.host)))}</p>;
  return (
    <p className="hint">{missingKib > 0 ? text.free.gives(size(missingKib)) : text.free.givesNothing}</p>
  );
}

function AmountLine(props: {
  readonly host: HostMemory;
  readonly kib: number;
  readonly onChange: (kib: number | null) => void;
}) {
  const { text, language } = useSpeech();
  return (
    <div className="setting-line">
      <span>
        {text.free.amount}
        <small>{text.free.now(formatKib(props.host.availableKib, language))}</small>
      </span>
      <span className="pair">
        <fieldset className="pair" aria-label={text.free.moreLabel}>
          {MORE_GIB.map(gib => {
            const kib = moreKib(props.host, gib);
            return (
              <Button key={gib} isDisabled={kib === null} onPress={() => props.onChange(kib)}>
                {text.free.more(formatKib(gib * GIB_KIB, language))}
              </Button>
            );
          })}
        </fieldset>
        <AmountField label={text.free.amount} kib={props.kib} onCommit={props.onChange} />
      </span>
    </div>
  );
}

function Answered(props: { readonly answer: Answer }) {
  const { text, language } = useSpeech();
  const { preview, wantedKib, until } = props.answer;
  const { isEnough, freeableKib, sentence, changes } = preview;
  const words = text.free;
  const title = !isEnough ? words.notEnough : freeableKib > 0 ? words.enough : words.enoughAlready;
  return (
    <>
      <Notice
        tone={isEnough ? 'calm' : 'warn'}
        title={title(formatKib(wantedKib, language))}
        live={isEnough ? 'polite' : 'assertive'}
      >
        {sentence}
      </Notice>
      <ChangesTable changes={changes} />
      <p className="soft">{words.until(formatClock(until, language))}</p>
    </>
  );
}

function AskedFor(props: {
  readonly host: HostMemory;
  readonly kib: number;
  readonly minutes: number;
  readonly onKib: (kib: number) => void;
  readonly onMinutes: (minutes: number) => void;
}) {
  const { text, language } = useSpeech();
  const { host } = props;
  const words = text.free;
  const [isBad, setBad] = useState(false);
  return (
    <>
      <p className="soft">{words.intro}</p>
      <AmountLine
        host={host}
        kib={props.kib}
        onChange={kib => {
          setBad(kib === null || kib === 0);
          if (kib !== null && kib > 0) props.onKib(kib);
        }}
      />
      <div className="setting-line">
        <span>{words.span}</span>
        <Segmented
          label={words.span}
          value={String(props.minutes)}
          options={FREE_MINUTES.map(minutes => ({
            value: String(minutes),
            label: formatSpan(minutes * MINUTE_MS, language),
          }))}
          onChange={value => props.onMinutes(Number(value))}
        />
      </div>
      {isBad ? (
        <p className="field-error" role="alert">
          {text.memory.badAmount}
        </p>
      ) : (
        <Outlook host={host} kib={props.kib} />
      )}
      {host.freeUntil === null || host.freePromisedKib === null ? null : (
        <p className="hint">
          {words.replaces(formatKib(host.freePromisedKib, language), formatClock(host.freeUntil, language))}
        </p>
      )}
    </>
  );
}

function FreeForm(props: { readonly host: HostMemory; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const [kib, setKib] = useState(() => firstAmountKib(props.host));
  const [minutes, setMinutes] = useState<number>(FREE_MINUTES[0]);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const ask = async (): Promise<void> => {
    const preview = await attempt(text.free.verb, () => call('memory.free', { kib, seconds: minutes * 60 }));
    if (preview !== null) setAnswer({ preview, wantedKib: kib, until: Date.now() + minutes * MINUTE_MS });
  };
  const end = (): void => {
    void endFreeing();
    props.onClose();
  };
  return (
    <Dialog
      title={text.free.title}
      size="medium"
      onClose={props.onClose}
      actions={
        answer === null ? (
          <>
            <Button onPress={props.onClose}>{text.app.cancel}</Button>
            <Button needs="memory.free" look="go" onPress={ask}>
              {text.free.verb}
            </Button>
          </>
        ) : (
          <>
            <Button needs="memory.free" label={text.free.endAction} onPress={end}>
              {text.free.end}
            </Button>
            <Button look="go" autoFocus onPress={props.onClose}>
              {text.app.close}
            </Button>
          </>
        )
      }
    >
      {answer === null ? (
        <AskedFor host={props.host} kib={kib} minutes={minutes} onKib={setKib} onMinutes={setMinutes} />
      ) : (
        <Answered answer={answer} />
      )}
    </Dialog>
  );
}

export function FreeDialog(props: { readonly onClose: () => void }) {
  const host = useService(state => state.host);
  return host === null ? null : <FreeForm host={host} onClose={props.onClose} />;
}
