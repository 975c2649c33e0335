// The fields of a schedule: the times, the amount of change, and the battery.
import { INTERVAL_MINUTES, type Schedule } from '../../shared/history.ts';
import { useSpeech } from '../i18n/text.ts';
import { ManagedMark, useRule } from '../policy/ManagedMark.tsx';
import { Segmented } from '../ui/Field.tsx';
import { formatSpan } from '../view/format.ts';
import { clockOf, minuteOf } from '../view/schedule.ts';
import { SizeLine } from './SizeLine.tsx';

export interface FieldsProps {
  readonly draft: Schedule;
  readonly onChange: (part: Partial<Schedule>) => void;
  /** Tells whether the field's content can be saved. */
  readonly onCheck: (field: string, isGood: boolean) => void;
}

const BATTERY = [0, 20, 50, 100] as const;

/** Shown also without automatic points: settling follows the battery limit too. */
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
