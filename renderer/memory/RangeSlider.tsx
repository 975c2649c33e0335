// The range slider: only Min and Max can be dragged; target, actual and in-use are read-only meters. Draws
// the given range and reports what the thumbs were asked to do; it sends no commands itself.
import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import type { MemoryRange } from '../../shared/memory.ts';
import { useSpeech } from '../i18n/text.ts';
import { formatKib } from '../view/format.ts';
import {
  type MemoryScale,
  moveThumb,
  spreadLabels,
  type Thumb,
  thumbKey,
  thumbLimits,
  toShare,
} from '../view/memory-scale.ts';

export interface SliderMeters {
  readonly targetKib: number | null;
  readonly actualKib: number | null;
  readonly usedKib: number | null;
  readonly bootKib: number | null;
}

interface SliderProps {
  readonly range: MemoryRange;
  readonly scale: MemoryScale;
  readonly meters: SliderMeters | null;
  /** IT policy locks the range: the thumbs cannot be moved. */
  readonly isLocked?: boolean;
  readonly onDrag: (range: MemoryRange) => void;
  readonly onRelease: () => void;
  readonly onCancel: () => void;
}

const percent = (share: number): string => `${(share * 100).toFixed(3)}%`;
/** The share of the track's width that a label over it takes. */
const LABEL_SHARE = 0.115;

function ThumbHandle(props: SliderProps & { readonly thumb: Thumb; readonly track: () => DOMRect | null }) {
  const { text, language } = useSpeech();
  const { thumb, range, scale } = props;
  const kib = thumb === 'min' ? range.minKib : range.maxKib;
  const { lowKib, highKib } = thumbLimits(thumb, range, scale);
  const held = useRef(false);
  const name = thumb === 'min' ? text.memory.minThumb : text.memory.maxThumb;
  const onMove = (event: PointerEvent): void => {
    const box = props.track();
    if (!held.current || box === null || props.isLocked) return;
    const share = (event.clientX - box.left) / Math.max(1, box.width);
    props.onDrag(moveThumb(thumb, share * scale.endKib, { range, scale }));
  };
  const onUp = (): void => {
    if (held.current) props.onRelease();
    held.current = false;
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') return props.onCancel();
    const moved = thumbKey(event.key, thumb, { range, scale });
    if (moved === null || props.isLocked) return;
    event.preventDefault();
    props.onDrag(moved);
  };
  return (
    <div
      className={`thumb ${thumb}`}
      role="slider"
      tabIndex={0}
      aria-label={name}
      aria-disabled={props.isLocked || undefined}
      aria-valuemin={lowKib}
      aria-valuemax={highKib}
      aria-valuenow={kib}
      aria-valuetext={text.memory.thumbText(formatKib(kib, language), name)}
      style={{ left: percent(toShare(kib, scale)) }}
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId);
        held.current = true;
      }}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={() => {
        held.current = false;
        props.onCancel();
      }}
      onKeyDown={onKey}
      // One command when the key is released, however long it repeated.
      onKeyUp={props.onRelease}
      onBlur={props.onRelease}
    />
  );
}

function Meters(props: { readonly meters: SliderMeters; readonly scale: MemoryScale }) {
  const { text, language } = useSpeech();
  const { meters, scale } = props;
  const meter = (name: string, kib: number | null, className: string) =>
    kib === null ? null : (
      // biome-ignore lint/a11y/useSemanticElements: drawn as a mark on the track, which a native meter cannot be
      <div
        className={className}
        role="meter"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={scale.endKib}
        aria-valuenow={Math.min(kib, scale.endKib)}
        aria-valuetext={formatKib(kib, language)}
        style={
          className === 'target-mark'
            ? { left: percent(toShare(kib, scale)) }
            : { width: percent(toShare(kib, scale)) }
        }
      />
    );
  return (
    <>
      {meter(text.memory.actual, meters.actualKib, 'actual-fill')}
      {meter(text.memory.used, meters.usedKib, 'used-line')}
      {meter(text.memory.target, meters.targetKib, 'target-mark')}
    </>
  );
}

export function RangeSlider(props: SliderProps) {
  const { text, language } = useSpeech();
  const track = useRef<HTMLDivElement | null>(null);
  const { range, scale, meters } = props;
  const low = toShare(range.minKib, scale);
  const high = toShare(range.maxKib, scale);
  const target = meters?.targetKib ?? null;
  const boot = meters?.bootKib ?? null;
  const labels = [
    { key: 'min', words: `${text.memory.min} ${formatKib(range.minKib, language)}`, at: low },
    ...(target === null
      ? []
      : [
          {
            key: 'target',
            words: `${text.memory.target} ${formatKib(target, language)}`,
            at: toShare(target, scale),
          },
        ]),
    { key: 'max', words: `${text.memory.max} ${formatKib(range.maxKib, language)}`, at: high },
  ];
  const places = spreadLabels(
    labels.map(label => label.at),
    LABEL_SHARE,
  );
  const box = (): DOMRect | null => track.current?.getBoundingClientRect() ?? null;
  return (
    <fieldset className="range" aria-label={text.memory.range}>
      <div className="range-labels" aria-hidden>
        {labels.map((label, index) => (
          <span key={label.key} className={label.key} style={{ left: percent(places[index] ?? 0) }}>
            {label.words}
          </span>
        ))}
      </div>
      <div className="range-track" ref={track}>
        <div className="allowed" style={{ left: percent(low), width: percent(high - low) }} />
        {meters === null ? null : <Meters meters={meters} scale={scale} />}
        {boot !== null && boot < range.maxKib ? (
          <div className="boot-mark" style={{ left: percent(toShare(boot, scale)) }}>
            <span>{text.memory.bootMark}</span>
          </div>
        ) : null}
        <ThumbHandle {...props} thumb="min" track={box} />
        <ThumbHandle {...props} thumb="max" track={box} />
      </div>
      <div className="range-ticks" aria-hidden>
        {scale.ticks.map(tick => (
          <span key={tick} style={{ left: percent(toShare(tick, scale)) }}>
            {tick === 0 ? '0' : formatKib(tick, language)}
          </span>
        ))}
      </div>
    </fieldset>
  );
}
