// The fields of a schedule: the clock and the change; how long points stay and what they may take.
import { useState } from 'react';
import { INTERVAL_MINUTES, type Retention, type Schedule } from '../../shared/history.ts';
import { KIB } from '../../shared/units.ts';
import { useSpeech } from '../i18n/text.ts';
import { ManagedMark, useRule } from '../policy/ManagedMark.tsx';
import { AmountField } from '../ui/AmountField.tsx';
import { Segmented } from '../ui/Field.tsx';
import { formatSpan } from '../view/format.ts';
import { clockOf, countOf, minuteOf } from '../view/schedule.ts';

interface FieldsProps {
  readonly draft: Schedule;
  readonly onChange: (part: Partial<Schedule>) => void;
  /** Whether what stands in that field can be saved. */
  readonly onCheck: (field: string, isGood: boolean) => void;
}

const BATTERY = [0, 20, 50, 100] as const;

/** An amount in bytes; empty: what `onClear` means. */
function SizeLine(props: {
  readonly label: string;
  readonly note: string;
  readonly bytes: number | null;
  readonly onBytes: (bytes: number) => void;
  readonly onClear: () => void;
}) {
  const { text } = useSpeech();
  const [isBad, setBad] = useState(false);
  return (
    <div className="setting-line">
      <span>
        {props.label}
        <small>{isBad ? text.memory.badAmount : props.note}</small>
      </span>
      <AmountField
        label={props.label}
        kib={props.bytes === null ? null : props.bytes / KIB}
        isInvalid={isBad}
        onCommit={kib => {
          setBad(kib === null);
          if (kib !== null) props.onBytes(Math.max(1024, kib) * KIB);
        }}
        onClear={() => {
          setBad(false);
          props.onClear();
        }}
      />
    </div>
  );
}

/** Also without automatic points: settling follows it, too. */
function BatteryLine({ draft, onChange }: Pick<FieldsProps, 'draft' | 'onChange'>) {
  const { text } = useSpeech();
  const words = text.automatic.dialog;
  const levels = [...new Set([...BATTERY, draft.batteryLeastPercent])].sort((a, b) => a - b);
  return (
    <div className="setting-line">
      <span>
        {words.battery}
        <small>{words.batteryNote}</small>
      </span>
      <select
        className="select"
        aria-label={words.battery}
        value={draft.batteryLeastPercent}
        onChange={event => onChange({ batteryLeastPercent: Number(event.target.value) })}
      >
        {levels.map(percent => (
          <option key={percent} value={percent}>
            {words.batteries[percent as (typeof BATTERY)[number]] ?? words.batteryOther(percent)}
          </option>
        ))}
      </select>
    </div>
  );
}

export function ScheduleFields({ draft, onChange, onCheck }: FieldsProps) {
  const { text, language } = useSpeech();
  const words = text.automatic.dialog;
  const rule = useRule('history.everyMinutes');
  return (
    <section className="settings-group">
      <div className="setting-line">
        <span>
          {words.isOn}
          {draft.isOn ? null : <ManagedMark rule={rule} />}
        </span>
        <Segmented
          label={words.isOn}
          value={draft.isOn ? 'on' : 'off'}
          options={[
            { value: 'on', label: words.on },
            { value: 'off', label: words.off },
          ]}
          onChange={value => onChange({ isOn: value === 'on' })}
        />
      </div>
      {draft.isOn ? (
        <>
          <div className="setting-line">
            <span>
              {words.every}
              <small>{words.atNote}</small>
              <ManagedMark rule={rule} />
            </span>
            <span className="pair">
              <select
                className="select"
                aria-label={words.every}
                value={draft.everyMinutes}
                onChange={event =>
                  onChange({ everyMinutes: Number(event.target.value) as Schedule['everyMinutes'] })
                }
              >
                {INTERVAL_MINUTES.map(minutes => (
                  <option key={minutes} value={minutes}>
                    {formatSpan(minutes * 60_000, language)}
                  </option>
                ))}
              </select>
              <input
                className="input short"
                type="time"
                aria-label={words.at}
                defaultValue={clockOf(draft.atMinute)}
                onChange={event => {
                  const minute = minuteOf(event.target.value);
                  onCheck('at', minute !== null);
                  if (minute !== null) onChange({ atMinute: minute });
                }}
              />
            </span>
          </div>
          <SizeLine
            label={words.least}
            note={words.leastNote}
            bytes={draft.leastChangedBytes === 0 ? null : draft.leastChangedBytes}
            onBytes={leastChangedBytes => onChange({ leastChangedBytes })}
            onClear={() => onChange({ leastChangedBytes: 0 })}
          />
          <SizeLine
            label={words.change}
            note={words.changeNote}
            bytes={draft.changedBytes}
            onBytes={changedBytes => onChange({ changedBytes })}
            onClear={() => onChange({ changedBytes: null })}
          />
        </>
      ) : null}
      <BatteryLine draft={draft} onChange={onChange} />
    </section>
  );
}

/** As the schema of it has them. */
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
