// A select of points by name and time, newest first; it can offer Now as well.
import type { MomentId } from '../../shared/ids.ts';
import type { Timeline } from '../../shared/timeline.ts';
import { useSpeech } from '../i18n/text.ts';
import { Field } from '../ui/Field.tsx';
import { formatMoment } from '../view/format.ts';
import { newestFirst } from '../view/points.ts';

const NOW = 'now';

export function PointSelect<T extends MomentId | null>(props: {
  readonly label: string;
  readonly help?: string | undefined;
  readonly error?: string | null;
  readonly timeline: Timeline;
  readonly value: T;
  /** The words for null: Now, where that can be chosen, else "not chosen yet". */
  readonly nullWords: string | null;
  /** The point that the list marks as the one before. */
  readonly parentId?: MomentId | null;
  readonly onChange: (id: MomentId | null) => void;
}) {
  const { text, language } = useSpeech();
  const { timeline, nullWords } = props;
  const words = text.compare;
  return (
    <Field label={props.label} help={props.help} error={props.error ?? null}>
      {control => (
        <select
          {...control}
          className="select"
          value={props.value ?? NOW}
          onChange={event =>
            props.onChange(timeline.moments.find(({ id }) => id === event.target.value)?.id ?? null)
          }
        >
          {nullWords === null ? null : <option value={NOW}>{nullWords}</option>}
          {newestFirst(timeline.moments).map(moment => {
            const time = formatMoment(moment.takenAt, language);
            const label = moment.name === '' ? time : `${moment.name} · ${time}`;
            return (
              <option key={moment.id} value={moment.id}>
                {moment.id === props.parentId ? words.parent(label) : label}
              </option>
            );
          })}
        </select>
      )}
    </Field>
  );
}
