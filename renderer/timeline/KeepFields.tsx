// How long automatic points stay, and how much room they may take.
import { useState } from 'react';
import type { Retention } from '../../shared/history.ts';
import { useSpeech } from '../i18n/text.ts';
import { ManagedMark, useRule } from '../policy/ManagedMark.tsx';
import { countOf } from '../view/schedule.ts';
import type { FieldsProps } from './ScheduleFields.tsx';
import { SizeLine } from './SizeLine.tsx';

/** The fields and their bounds, as in retentionSchema. */
const KEPT: readonly (readonly [keyof Retention, number, number])[] = [
  ['allHours', 1, 8784],
  ['days', 0, 366],
  ['weeks', 0, 520],
  ['months', 0, 240],
];

export function KeepFields({ draft, onChange, onCheck }: FieldsProps) {
  const { text } = useSpeech();
  const words = text.automatic.dialog;
  const rules = { days: useRule('history.keepDays'), quota: useRule('history.quota') };
  const [typed, setTyped] = useState<Partial<Record<keyof Retention, string>>>({});
  return (
    <section className="settings-group">
      <h3>{words.keep}</h3>
      <p className="soft">{words.keepNote}</p>
      <ManagedMark rule={rules.days} />
      <div className="keep-fields">
        {KEPT.map(([key, least, most]) => {
          const shown = typed[key] ?? String(draft.keep[key]);
          const isBad = countOf(shown, least, most) === null;
          return (
            <label key={key}>
              <span>{words[key]}</span>
              <input
                className="input short"
                inputMode="numeric"
                aria-invalid={isBad}
                aria-describedby={isBad ? `bad-${key}` : undefined}
                value={shown}
                onChange={event => {
                  const count = countOf(event.target.value, least, most);
                  setTyped(old => ({ ...old, [key]: event.target.value.slice(0, 6) }));
                  onCheck(key, count !== null);
                  if (count !== null) onChange({ keep: { ...draft.keep, [key]: count } });
                }}
              />
              {isBad ? (
                <span className="field-error" id={`bad-${key}`}>
                  {words.notWhole(least, most)}
                </span>
              ) : null}
            </label>
          );
        })}
      </div>
      <SizeLine
        label={words.quota}
        note={words.quotaNote}
        bytes={draft.quotaBytes}
        onBytes={quotaBytes => onChange({ quotaBytes })}
        onClear={() => onChange({ quotaBytes: null })}
      />
      <ManagedMark rule={rules.quota} />
    </section>
  );
}
