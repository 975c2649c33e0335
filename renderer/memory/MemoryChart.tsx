// The live chart: target dashed, actual solid, in use as an area; ledger entries as ticks. Target and actual are
// never merged, even where they coincide: asked is not done (M4).
import { useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';
import type { LedgerEntry, MemorySample } from '../../shared/memory.ts';
import { GIB_KIB, MIB_KIB } from '../../shared/units.ts';
import { useSpeech } from '../i18n/text.ts';
import { useWidth } from '../ui/hooks.ts';
import { formatClock, formatDay, formatKib } from '../view/format.ts';
import { nearest, SPAN_MS, type Span } from '../view/memory-spans.ts';

const HEIGHT = 190;
/** A press this near a tick chooses the tick. */
const TICK_PX = 10;

const cssColor = (element: HTMLElement, name: string): string =>
  getComputedStyle(element).getPropertyValue(name).trim();

/** uPlot's aligned columns; seconds. */
const columns = (samples: readonly MemorySample[]): uPlot.AlignedData => [
  samples.map(sample => sample.at / 1000),
  samples.map(sample => sample.usedKib),
  samples.map(sample => sample.actualKib),
  samples.map(sample => sample.targetKib),
];

/** Steps of the memory axis that read well. */
const INCREMENTS = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536].map(
  mib => mib * MIB_KIB,
);

/** Draws a thin line with a small ring at its foot wherever the ledger has an entry. */
function tickPlugin(
  props: () => Pick<ChartProps, 'entries' | 'chosen'>,
  color: (isChosen: boolean) => string,
): uPlot.Plugin {
  return {
    hooks: {
      draw: plot => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash([]);
        const { entries, chosen } = props();
        for (const entry of entries) {
          ctx.strokeStyle = color(entry.seq === chosen?.seq);
          const x = Math.round(plot.valToPos(entry.at / 1000, 'x', true));
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height - 4 * devicePixelRatio);
          ctx.moveTo(x + 3.5 * devicePixelRatio, bbox.top + bbox.height);
          ctx.arc(x, bbox.top + bbox.height, 3.5 * devicePixelRatio, 0, 7);
          ctx.stroke();
        }
        ctx.restore();
      },
    },
  };
}

interface ChartProps {
  readonly samples: readonly MemorySample[];
  readonly entries: readonly LedgerEntry[];
  readonly span: Span;
  readonly chosen: LedgerEntry | null;
  readonly onChoose: (entry: LedgerEntry | null) => void;
  readonly maxKib: number;
  readonly now: number;
  /** A change redraws the chart in new colours. */
  readonly theme: string;
}

function chartOptions(
  host: HTMLElement,
  words: { language: string; used: string; actual: string; target: string },
  props: () => ChartProps,
): uPlot.Options {
  const hue = cssColor(host, '--c');
  const ink = cssColor(host, '--ink');
  const axis = {
    stroke: cssColor(host, '--ink-3'),
    font: `11px ${getComputedStyle(host).fontFamily}`,
    ticks: { show: false },
  };
  return {
    width: Math.max(100, host.clientWidth),
    height: HEIGHT,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: () => [(props().now - SPAN_MS[props().span]) / 1000, props().now / 1000] },
      // Samples may be from a time when the maximum was higher than now.
      y: { range: (_plot, _least, most) => [0, Math.max(props().maxKib, most, 60 * MIB_KIB) * 1.08] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 90,
        size: 26,
        values: (_plot, values) =>
          values.map(value =>
            (props().span === 'week' ? formatDay : formatClock)(value * 1000, words.language),
          ),
      },
      {
        ...axis,
        size: 62,
        incrs: INCREMENTS,
        space: 34,
        grid: { stroke: cssColor(host, '--line'), width: 1 },
        values: (_plot, values) =>
          values.map(value =>
            value === 0 ? '0' : formatKib(value >= GIB_KIB ? value : Math.round(value), words.language),
          ),
      },
    ],
    series: [
      {},
      {
        label: words.used,
        fill: `color-mix(in srgb, ${hue} 14%, transparent)`,
        width: 0,
        points: { show: false },
      },
      { label: words.actual, stroke: hue, width: 2, points: { show: false } },
      {
        label: words.target,
        stroke: ink,
        width: 1.25,
        dash: [3, 3],
        points: { show: false },
        ...(uPlot.paths.stepped === undefined ? {} : { paths: uPlot.paths.stepped({ align: 1 }) }),
      },
    ],
    plugins: [tickPlugin(props, isChosen => cssColor(host, isChosen ? '--ink' : '--line-2'))],
  };
}

export function MemoryChart(props: ChartProps) {
  const { text, language } = useSpeech();
  const [host, width] = useWidth<HTMLDivElement>();
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const words = useMemo(
    () => ({ language, used: text.memory.used, actual: text.memory.actual, target: text.memory.target }),
    [language, text],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme needs new colours
  useEffect(() => {
    const element = host.current;
    if (element === null || width === 0) return;
    plot.current = new uPlot(
      chartOptions(element, words, () => latest.current),
      columns(latest.current.samples),
      element,
    );
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [host, width, words, props.theme]);
  useEffect(() => {
    plot.current?.setData(columns(props.samples));
  }, [props.samples]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what these say is drawn anew
  useEffect(() => {
    plot.current?.redraw();
  }, [props.entries, props.chosen, props.span]);
  const choose = (clientX: number): void => {
    const drawn = plot.current;
    if (drawn === null) return;
    const { left, width: wide } = drawn.over.getBoundingClientRect();
    const msPerPx = SPAN_MS[props.span] / Math.max(1, wide);
    const at = drawn.posToVal(clientX - left, 'x') * 1000;
    const found = nearest(props.entries, at, TICK_PX * msPerPx);
    props.onChoose(found?.seq === props.chosen?.seq ? null : found);
  };
  // For eye and pointer only: a screen reader finds the same entries in the list below.
  return <div className="chart" ref={host} aria-hidden onPointerUp={event => choose(event.clientX)} />;
}
