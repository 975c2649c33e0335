// The timeline as a table: the same points with the same keys, newest first, for long lists and for screen
// readers. Only the visible rows are in the page.
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import { useSpeech } from '../i18n/text.ts';
import type { PointVerb } from '../state/asked.ts';
import { formatBytes, formatMoment } from '../view/format.ts';
import { newestFirst, pointName } from '../view/points.ts';
import { rowWindow } from '../view/timeline-view.ts';

/** The heights in history.css. */
const ROW_PX = 36;
const HEAD_PX = 26;
const VIEW_PX = 340;
const PAGE_ROWS = 8;

interface TableProps {
  readonly timeline: Timeline;
  readonly selected: string;
  readonly onSelect: (id: string) => void;
  readonly onAction: (verb: PointVerb) => void;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: PAGE_ROWS,
  PageUp: -PAGE_ROWS,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

function onTableKey(event: KeyboardEvent, rows: readonly Moment[], props: TableProps): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = STEPS[event.key];
  const at = rows.findIndex(({ id }) => id === props.selected);
  if (step !== undefined) {
    const to = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    if (to !== undefined) props.onSelect(to.id);
  } else if (event.key.toLowerCase() === 'p') props.onAction('pin');
  else if (event.key.toLowerCase() === 'c') props.onAction('compare');
  else if (event.key === 'Delete') props.onAction('delete');
  else return;
  event.preventDefault();
}

function Head() {
  const { columns } = useSpeech().text.history;
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th scope="col">{columns.name}</th>
        <th scope="col">{columns.taken}</th>
        <th scope="col">{columns.kind}</th>
        <th scope="col" className="right">
          {columns.size}
        </th>
        <th scope="col" className="right">
          {columns.frees}
        </th>
      </tr>
    </thead>
  );
}

function Row(props: {
  readonly moment: Moment;
  readonly index: number;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}) {
  const { text, language } = useSpeech();
  const { moment, isSelected } = props;
  const words = text.history;
  return (
    <tr className={isSelected ? 'on' : ''} aria-rowindex={props.index + 2}>
      <td>
        <button type="button" className="link" aria-pressed={isSelected} onClick={props.onSelect}>
          {pointName(moment, text)}
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
  );
}

const Room = (props: { readonly px: number }) =>
  props.px === 0 ? null : (
    <tr aria-hidden className="room" style={{ height: props.px }}>
      <td colSpan={5} />
    </tr>
  );

export function PointTable(props: TableProps) {
  const { text } = useSpeech();
  const box = useRef<HTMLElement | null>(null);
  const [scrolled, setScrolled] = useState(0);
  const { timeline, selected } = props;
  const rows = useMemo(() => newestFirst(timeline.moments), [timeline.moments]);
  const chosen = rows.findIndex(({ id }) => id === selected);
  const { first, last, above, below } = rowWindow(rows.length, ROW_PX, scrolled, VIEW_PX);
  useEffect(() => {
    const element = box.current;
    if (element === null || chosen < 0) return;
    const top = chosen * ROW_PX;
    const room = element.clientHeight - HEAD_PX - ROW_PX;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top > element.scrollTop + room) element.scrollTop = top - room;
  }, [chosen]);
  return (
    <section
      className="table-wrap points"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable
      tabIndex={0}
      aria-label={text.history.label}
      ref={box}
      onScroll={event => setScrolled(event.currentTarget.scrollTop)}
      onKeyDown={event => onTableKey(event, rows, props)}
    >
      <table className="table" aria-rowcount={rows.length + 1}>
        <Head />
        <tbody>
          <Room px={above} />
          {rows.slice(first, last).map((moment, index) => (
            <Row
              key={moment.id}
              moment={moment}
              index={first + index}
              isSelected={moment.id === selected}
              onSelect={() => props.onSelect(moment.id)}
            />
          ))}
          <Room px={below} />
        </tbody>
      </table>
    </section>
  );
}
