// Parts of the drawn timeline: edges, the bead on the edge being turned, nodes with names, days, gaps.
import { useEffect, useRef } from 'react';
import type { Timeline as TimelineState } from '../../shared/timeline.ts';
import { useSpeech } from '../i18n/text.ts';
import { formatBytes, formatDay, formatSpan } from '../view/format.ts';
import { NOW, type TimelineEdge, type TimelineLayout, type TimelineNode } from '../view/timeline-layout.ts';

const hueColor = (hue: number): string => (hue === 0 ? 'var(--tide)' : `var(--vm${hue})`);
export const optionId = (id: string): string => `point-${id}`;

export function Edge(props: { readonly edge: TimelineEdge }) {
  const { path, hue } = props.edge;
  return <path className="edge" d={path} stroke={hueColor(hue)} opacity={hue === 0 ? 0.55 : 0.75} />;
}

/** The edge under reversal: a line for the part already turned, and the bead that travels on it. */
export function Bead(props: { readonly edge: TimelineEdge; readonly share: number }) {
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
    // The bead glides from its last place; at its first place, and on a new drawing, it does not.
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

export function Node(props: {
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

export function Days(props: {
  readonly days: TimelineLayout['days'];
  readonly width: number;
  readonly language: string;
}) {
  const { days, width } = props;
  let last = Number.NEGATIVE_INFINITY;
  return (
    <g aria-hidden>
      <rect className="days" x="0" y="0" width={width} height="26" rx="6" />
      {days.map(day => {
        if (day.x - last < 86) return null;
        last = day.x;
        return (
          <text
            key={day.at}
            className="day"
            x={Math.min(Math.max(10, day.x - 12), width - 10)}
            y="17"
            textAnchor={day.x > width - 100 ? 'end' : 'start'}
          >
            {formatDay(day.at, props.language)}
          </text>
        );
      })}
    </g>
  );
}

export function Gaps(props: { readonly gaps: TimelineLayout['gaps']; readonly y: number }) {
  const { text, language } = useSpeech();
  return (
    <g>
      {props.gaps.map(gap => (
        <g key={gap.x} className="gap">
          <title>{text.history.gap(formatSpan(gap.ms, language))}</title>
          <rect x={gap.x - 5} y={props.y - 9} width="10" height="18" fill="var(--pane)" />
          <path d={`M${gap.x - 6} ${props.y - 8}l5 16M${gap.x + 1} ${props.y - 8}l5 16`} />
        </g>
      ))}
    </g>
  );
}

export function NowWords(props: { readonly node: TimelineNode; readonly timeline: TimelineState }) {
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
