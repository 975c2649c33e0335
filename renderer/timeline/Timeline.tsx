// The drawn timeline: Now is the filled node at the right end, branches hang below, the reversal's bead sits
// on its edge. One list box: arrows walk it, and a screen reader hears its active option. PointTable.tsx
// shows the same as a table. Only the visible part of a long history is drawn.
import { type KeyboardEvent, useEffect, useMemo, useState } from 'react';
import type { Timeline as TimelineState } from '../../shared/timeline.ts';
import { useSpeech } from '../i18n/text.ts';
import type { PointVerb } from '../state/asked.ts';
import { useWidth } from '../ui/hooks.ts';
import { formatBytes, formatMoment } from '../view/format.ts';
import { pointName } from '../view/points.ts';
import { reversalEdge, reversalFigures } from '../view/settle.ts';
import {
  layTimeline,
  MAIN_LANE_Y,
  NOW,
  type TimelineLayout,
  type TimelineNode,
} from '../view/timeline-layout.ts';
import { clipLayout } from '../view/timeline-view.ts';
import { walkTimeline } from '../view/timeline-walk.ts';
import { Bead, Days, Edge, Gaps, Node, NowWords, optionId } from './TimelineParts.tsx';

/** A chosen point nearer to the edge than this is scrolled to the middle. */
const EDGE_PX = 48;

/** "Point “before update”, Tue 14:05, pinned, 1.2 GiB, 3 of 15" */
function useNames(timeline: TimelineState, layout: TimelineLayout): (node: TimelineNode) => string {
  const { text, language } = useSpeech();
  const places = useMemo(() => {
    const ordered = [...layout.nodes].sort((a, b) => a.x - b.x);
    return new Map(ordered.map((node, index) => [node.id, index + 1]));
  }, [layout]);
  const words = text.history;
  return node => {
    const { moment } = node;
    const position = words.positionOf(places.get(node.id) ?? 0, places.size);
    if (moment === null) return `${words.nowLabel(formatBytes(timeline.nowBytes, language))}, ${position}`;
    const parts = [
      words.point(pointName(moment, text)),
      formatMoment(moment.takenAt, language),
      ...(moment.pinned ? [words.pinned] : []),
      formatBytes(moment.allocatedBytes, language),
      position,
    ];
    return parts.join(', ');
  };
}

interface TimelineProps {
  readonly timeline: TimelineState;
  readonly now: number;
  readonly zoom: number;
  readonly selected: string;
  readonly onSelect: (id: string) => void;
  readonly onAction: (verb: PointVerb) => void;
  readonly onZoom: (steps: 1 | -1) => void;
}

/** Enter goes to the card; P pins; C compares; Delete asks; + and − zoom. */
function onTimelineKey(event: KeyboardEvent, layout: TimelineLayout, props: TimelineProps): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const to = walkTimeline(layout, props.selected, event.key);
  if (to !== null) props.onSelect(to);
  else if (event.key.toLowerCase() === 'p') props.onAction('pin');
  else if (event.key.toLowerCase() === 'c') props.onAction('compare');
  else if (event.key === 'Delete') props.onAction('delete');
  else if (event.key === '+' || event.key === '=') props.onZoom(1);
  else if (event.key === '-') props.onZoom(-1);
  else if (event.key === 'Enter') document.querySelector<HTMLElement>('.point-card button')?.focus();
  else if (!event.key.startsWith('Arrow')) return;
  event.preventDefault();
}

/** The edge being turned, and the bead's share of the way from the edge's start; null: none is turned. */
function turningOf(timeline: TimelineState, layout: TimelineLayout) {
  const turning = reversalEdge(timeline);
  const { reversal } = timeline.settle;
  if (turning === null || reversal === null) return null;
  const { share } = reversalFigures(reversal);
  for (const edge of layout.edges) {
    if (edge.from === turning.from && edge.to === turning.to) return { edge, share };
    if (edge.from === turning.to && edge.to === turning.from) return { edge, share: 1 - share };
  }
  return null;
}

export function Timeline(props: TimelineProps) {
  const { text, language } = useSpeech();
  const [box, width] = useWidth<HTMLDivElement>();
  const [scrolled, setScrolled] = useState(0);
  const { timeline, now, selected, zoom } = props;
  const { moments } = timeline;
  // Now's place needs no more precision than a minute, so the layout is made once a minute.
  const minute = Math.floor(now / 60_000) * 60_000;
  const layout = useMemo(
    () => layTimeline(timeline, { now: minute, width: Math.max(width, 320), zoom }),
    [timeline, minute, width, zoom],
  );
  const nameOf = useNames(timeline, layout);
  // One screen to either side is drawn too, so that a scroll finds it there.
  const screen = Math.max(width, 320);
  const middle = Math.round(scrolled / screen) * screen;
  const clip = useMemo(
    () => clipLayout(layout, middle - 1.5 * screen, middle + 2.5 * screen, selected),
    [layout, middle, screen, selected],
  );
  const chosen = layout.nodes.find(node => node.id === selected);
  const nowNode = clip.nodes.find(node => node.id === NOW);
  const turning = turningOf(timeline, layout);
  // People come for Now, so a long history opens at its right end. Any point chosen later is scrolled into
  // view.
  // biome-ignore lint/correctness/useExhaustiveDependencies: again when something else is chosen or drawn, not when a minute passes
  useEffect(() => {
    const element = box.current;
    if (element === null || chosen === undefined) return;
    const left = chosen.x - element.scrollLeft;
    if (left < EDGE_PX || left > width - EDGE_PX) element.scrollLeft = chosen.x - width / 2;
    setScrolled(element.scrollLeft);
  }, [selected, zoom, width, moments.length]);
  return (
    <div className="timeline-box" ref={box} onScroll={event => setScrolled(event.currentTarget.scrollLeft)}>
      {width === 0 ? null : (
        <div
          className="timeline"
          role="listbox"
          aria-label={text.history.label}
          aria-activedescendant={optionId(selected)}
          aria-describedby="timeline-keys"
          tabIndex={0}
          onKeyDown={event => onTimelineKey(event, layout, props)}
        >
          <svg width={layout.width} height={layout.height} role="presentation">
            <Days days={clip.days} width={layout.width} language={language} />
            {clip.edges.map(edge => (
              <Edge key={edge.to} edge={edge} />
            ))}
            <Gaps gaps={clip.gaps} y={MAIN_LANE_Y} />
            {turning === null ? null : (
              <Bead key={turning.edge.path} edge={turning.edge} share={turning.share} />
            )}
            {clip.nodes.map(node => (
              <Node
                key={node.id}
                node={node}
                name={nameOf(node)}
                isSelected={node.id === selected}
                onSelect={() => props.onSelect(node.id)}
              />
            ))}
            {nowNode === undefined ? null : <NowWords node={nowNode} timeline={timeline} />}
          </svg>
        </div>
      )}
      <p className="sr-only" id="timeline-keys">
        {text.history.keys}
      </p>
    </div>
  );
}
