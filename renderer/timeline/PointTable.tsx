// The table twin of the timeline: the same points, newest first, for long lists and for screen readers.
import type { Timeline } from '../../shared/timeline.ts';
import { useSpeech } from '../i18n/text.ts';
import { formatBytes, formatMoment } from '../view/format.ts';

/** A table beyond this is no help; the timeline and the CLI show the rest. */
const ROWS_MAX = 500;

export function PointTable(props: {
  readonly timeline: Timeline;
  readonly selected: string;
  readonly onSelect: (id: string) => void;
}) {
  const { text, language } = useSpeech();
  const words = text.history;
  const rows = [...props.timeline.moments].sort((a, b) => b.takenAt - a.takenAt).slice(0, ROWS_MAX);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable
    <section className="table-wrap points" tabIndex={0} aria-label={words.label}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{words.columns.name}</th>
            <th scope="col">{words.columns.taken}</th>
            <th scope="col">{words.columns.kind}</th>
            <th scope="col" className="right">
              {words.columns.size}
            </th>
            <th scope="col" className="right">
              {words.columns.frees}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(moment => (
            <tr key={moment.id} className={moment.id === props.selected ? 'on' : ''}>
              <td>
                <button
                  type="button"
                  className="link"
                  aria-pressed={moment.id === props.selected}
                  onClick={() => props.onSelect(moment.id)}
                >
                  {moment.name === '' ? words.unnamed : moment.name}
                </button>{' '}
                {moment.pinned ? <span className="chip calm">{words.pinned}</span> : null}
              </td>
              <td>{formatMoment(moment.takenAt, language)}</td>
              <td className="quiet">{words.kinds[moment.kind]}</td>
              <td className="right">{formatBytes(moment.allocatedBytes, language)}</td>
              <td className="right quiet">
                {moment.freesBytes === null ? '–' : formatBytes(moment.freesBytes, language)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
