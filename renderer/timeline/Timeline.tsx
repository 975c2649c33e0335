// The drawn timeline: Now the filled root at the right end, branches below, the reversal's bead on its edge.
// One list box: arrows walk it, its active option is told to a screen reader; the table is its twin.
import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react';
import type { Timeline as TimelineState } from '../../shared/timeline.ts';
import { useSpeech } from '../i18n/text.ts';
import type { PointVerb } from '../state/asked.ts';
import { useWidth } from '../ui/hooks.ts';
import { formatBytes, formatDay, formatMoment, formatSpan } from '../view/format.ts';
import { reversalEdge, reversalFigures } from '../view/settle.ts';
import {
  layTimeline,
  NOW,
  type TimelineEdge,
  type TimelineLayout,
  type TimelineNode,
} from '../view/timeline-layout.ts';
import { walkTimeline } from '../view/timeline-walk.ts';

const hueColor = (hue: number): string => (hue === 0 ? 'var(--tide)' : `var(--vm${hue})`);
const optionId = (id: string): string => `point-${id}`;

function Edge(props: { readonly edge: TimelineEdge }) {
  const { path, hue } = props.edge;
  return <path className="edge" d={path} stroke={hueColor(hue)} opacity={hue === 0 ? 0.55 : 0.75} />;
}

/** The edge under reversal: how far it has been turned, and the bead that travels on it. */
function Bead(props: { readonly edge: TimelineEdge; readonly share: number }) {
  const path = useRef<SVGPathElement | null>(null);
  const bead = useRef<SVGGElement | null>(null);
  const { edge, share } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new drawing moves the line under the bead
  useEffect(() => {
    const line = path.current;
    if (line === null) return;
    const length = line.getTotalLength();
    const at = line.getPointAtLength(length * share);
    line.style.strokeDasharray = `${length * share} ${length}`;
    const element = bead.current;
    if (element === null) return;
    element.setAttribute('transform', `translate(${at.x} ${at.y})`);
    // It glides from where it was; where it first stands, and on a new drawing, it just is.
    const timer = setTimeout(() => element.classList.add('gliding'), 50);
    return () => clearTimeout(timer);
  }, [share, edge.path]);
  return (
    <g className="reversal" aria-hidden>
      <path d={edge.path} stroke="var(--tide)" strokeWidth="6" opacity=".16" fill="none" />
      <path ref={path} d={edge.path} stroke="var(--tide)" strokeWidth="5" fill="none" strokeLinecap="round" />
      <g ref={bead} className="bead">
        <circle r="12" fill="none" stroke="var(--tide)" strokeWidth="2" opacity=".35" />
        <circle r="6.5" fill="var(--tide)" />
      </g>
    </g>
  );
}

function Label(props: { readonly node: TimelineNode }) {
  const { label, moment } = props.node;
  if (label === null) return null;
  return (
    <text
      className={moment?.pinned === true ? 'strong' : ''}
      x={label.x}
      y={label.y}
      textAnchor={label.anchor}
    >
      {label.text}
    </text>
  );
}

function Node(props: {
  readonly node: TimelineNode;
  readonly isSelected: boolean;
  readonly name: string;
  readonly onSelect: () => void;
}) {
  const { node } = props;
  const isNow = node.id === NOW;
  const color = hueColor(node.hue);
  const pinY = node.y - node.radius - 7;
  return (
    <g
      id={optionId(node.id)}
      role="option"
      aria-selected={props.isSelected}
      aria-label={props.name}
      className={`node ${isNow ? 'now' : ''}`}
      onClick={props.onSelect}
    >
      <title>{props.name}</title>
      <circle className="hit" cx={node.x} cy={node.y} r={Math.max(15, node.radius + 4)} />
      {props.isSelected ? (
        <circle className="chosen" cx={node.x} cy={node.y} r={node.radius + 5.5} stroke={color} />
      ) : null}
      <circle
        className="dot"
        cx={node.x}
        cy={node.y}
        r={node.radius}
        stroke={color}
        fill={isNow ? color : props.isSelected ? 'var(--tide-wash)' : 'var(--pane)'}
      />
      {node.moment?.pinned === true ? (
        <path className="pin" d={`M${node.x - 6} ${pinY - 6}l6 6 6-6v-8h-12z`} />
      ) : null}
      <Label node={node} />
    </g>
  );
}

function Days(props: { readonly layout: TimelineLayout; readonly language: string }) {
  const { layout } = props;
  let last = Number.NEGATIVE_INFINITY;
  return (
    <g aria-hidden>
      <rect className="days" x="0" y="0" width={layout.width} height="26" rx="6" />
      {layout.days.map(day => {
        if (day.x - last < 86) return null;
        last = day.x;
        return (
          <text
            key={day.at}
            className="day"
            x={Math.min(Math.max(10, day.x - 12), layout.width - 10)}
            y="17"
            textAnchor={day.x > layout.width - 100 ? 'end' : 'start'}
          >
            {formatDay(day.at, props.language)}
          </text>
        );
      })}
    </g>
  );
}

function Gaps(props: { readonly layout: TimelineLayout; readonly y: number }) {
  const { text, language } = useSpeech();
  return (
    <g>
      {props.layout.gaps.map(gap => (
        <g key={gap.x} className="gap">
          <title>{text.history.gap(formatSpan(gap.ms, language))}</title>
          <rect x={gap.x - 5} y={props.y - 9} width="10" height="18" fill="var(--pane)" />
          <path d={`M${gap.x - 6} ${props.y - 8}l5 16M${gap.x + 1} ${props.y - 8}l5 16`} />
        </g>
      ))}
    </g>
  );
}

function useNames(timeline: TimelineState, layout: TimelineLayout): ReadonlyMap<string, string> {
  const { text, language } = useSpeech();
  return useMemo(() => {
    const words = text.history;
    const ordered = [...layout.nodes].sort((a, b) => a.x - b.x);
    return new Map(
      ordered.map((node, index) => {
        const { moment } = node;
        const position = words.positionOf(index + 1, ordered.length);
        if (moment === null) {
          return [node.id, `${words.nowLabel(formatBytes(timeline.nowBytes, language))}, ${position}`];
        }
        const parts = [
          words.point(moment.name === '' ? words.unnamed : moment.name),
          formatMoment(moment.takenAt, language),
          ...(moment.pinned ? [words.pinned] : []),
          formatBytes(moment.allocatedBytes, language),
          position,
        ];
        return [node.id, parts.join(', ')];
      }),
    );
  }, [layout, timeline.nowBytes, text, language]);
}

interface TimelineProps {
  readonly timeline: TimelineState;
  readonly now: number;
  readonly selected: string;
  readonly onSelect: (id: string) => void;
  readonly onAction: (verb: PointVerb) => void;
}

/** Enter goes to the card; P pins; C compares; Delete asks. */
function onTimelineKey(event: KeyboardEvent, layout: TimelineLayout, props: TimelineProps): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const to = walkTimeline(layout, props.selected, event.key);
  if (to !== null) props.onSelect(to);
  else if (event.key.toLowerCase() === 'p') props.onAction('pin');
  else if (event.key.toLowerCase() === 'c') props.onAction('compare');
  else if (event.key === 'Delete') props.onAction('delete');
  else if (event.key === 'Enter') document.querySelector<HTMLElement>('.point-card button')?.focus();
  else if (!event.key.startsWith('Arrow')) return;
  event.preventDefault();
}

function NowWords(props: { readonly node: TimelineNode; readonly timeline: TimelineState }) {
  const { text, language } = useSpeech();
  const { node, timeline } = props;
  return (
    <g aria-hidden>
      <text className="now-word" x={node.x} y={node.y + 32} textAnchor="middle">
        {text.history.now}
      </text>
      <text className="now-size" x={node.x} y={node.y + 48} textAnchor="middle">
        {timeline.nowParentId === null ? text.history.nowFresh : formatBytes(timeline.nowBytes, language)}
      </text>
    </g>
  );
}

export function Timeline(props: TimelineProps) {
  const { text, language } = useSpeech();
  const [box, width] = useWidth<HTMLDivElement>();
  const { timeline, now, selected } = props;
  // A minute is fine enough for where Now stands.
  const minute = Math.floor(now / 60_000) * 60_000;
  const layout = useMemo(
    () => layTimeline(timeline, { now: minute, width: Math.max(width, 320) }),
    [timeline, minute, width],
  );
  const names = useNames(timeline, layout);
  const nowNode = layout.nodes.find(node => node.id === NOW);
  const turning = reversalEdge(timeline);
  const turningEdge = layout.edges.find(
    edge =>
      turning !== null &&
      ((edge.from === turning.from && edge.to === turning.to) ||
        (edge.from === turning.to && edge.to === turning.from)),
  );
  const figures = timeline.settle.reversal === null ? null : reversalFigures(timeline.settle.reversal);
  // Now is what people come for: a long history opens at its right end.
  // biome-ignore lint/correctness/useExhaustiveDependencies: again whenever the drawing or its room changes
  useEffect(() => {
    const element = box.current;
    if (element !== null) element.scrollLeft = element.scrollWidth;
  }, [box, layout.width, width]);
  const share =
    figures === null || turningEdge === undefined || turning === null
      ? 0
      : turningEdge.from === turning.from
        ? figures.share
        : 1 - figures.share;
  return (
    <div className="timeline-box" ref={box}>
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
            <Days layout={layout} language={language} />
            {layout.edges.map(edge => (
              <Edge key={edge.to} edge={edge} />
            ))}
            <Gaps layout={layout} y={nowNode?.y ?? 0} />
            {turningEdge === undefined ? null : (
              <Bead key={turningEdge.path} edge={turningEdge} share={share} />
            )}
            {layout.nodes.map(node => (
              <Node
                key={node.id}
                node={node}
                name={names.get(node.id) ?? ''}
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
