// A VM's memory over time: minutes as they pass, or an hour, a day or a week from the service's records. A
// press on a tick tells why memory moved.
import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import type { LedgerEntry, MemorySample, VmMemory } from '../../shared/memory.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { preferencesStore } from '../state/preferences.ts';
import { Segmented } from '../ui/Field.tsx';
import { useNow, useService } from '../ui/hooks.ts';
import { isRunning } from '../view/attention.ts';
import { formatClock, formatKib, formatMoment } from '../view/format.ts';
import { REFRESH_MS, SPAN_MS, SPANS, type Span } from '../view/memory-spans.ts';
import { Ledger } from './Ledger.tsx';
import { MemoryChart } from './MemoryChart.tsx';

const NO_SAMPLES: readonly MemorySample[] = [];
const NO_ENTRIES: readonly LedgerEntry[] = [];
/** Ledger entries loaded as ticks for a chart of days. */
const TICKS_MAX = 500;

/** The samples the service remembers, then those this page saw live. */
function useSamples(vm: VmSummary, now: number, span: Span): readonly MemorySample[] {
  const live = useService(state => state.samples[vm.spec.id] ?? NO_SAMPLES);
  const [old, setOld] = useState<{ readonly span: Span; readonly samples: readonly MemorySample[] } | null>(
    null,
  );
  const vmId = vm.spec.id;
  const looks = useService(state => state.looks);
  const turn = span === 'minutes' ? 0 : Math.floor(now / REFRESH_MS[span]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: again after a time nobody looked, and when there is more
  useEffect(() => {
    let isHere = true;
    // A chart without its past is still a chart, so a failure is not told.
    call('memory.history', { vmId, sinceMs: Math.max(0, Date.now() - SPAN_MS[span]) }).then(
      ({ samples }) => isHere && setOld({ span, samples }),
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, [vmId, looks, span, turn]);
  return useMemo(() => {
    const told = old?.span === span ? old.samples : NO_SAMPLES;
    const last = told.at(-1)?.at ?? 0;
    const first = live[0]?.at ?? Number.POSITIVE_INFINITY;
    const joined =
      span === 'minutes'
        ? [...told.filter(sample => sample.at < first), ...live]
        : [...told, ...live.filter(sample => sample.at > last)];
    return joined.filter(sample => sample.at > now - SPAN_MS[span]);
  }, [old, live, now, span]);
}

/** For a chart of minutes the entries this page has; for longer ones the ledger is asked. */
function useEntries(vm: VmSummary, span: Span): readonly LedgerEntry[] {
  const vmId = vm.spec.id;
  const ledger = useService(state => state.ledger);
  const [old, setOld] = useState(NO_ENTRIES);
  const newest = ledger[0]?.seq ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: again where there is a new entry
  useEffect(() => {
    if (span === 'minutes') return;
    let isHere = true;
    call('memory.ledger', { vmId, limit: TICKS_MAX }).then(
      ({ entries }) => isHere && setOld(entries),
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, [vmId, span, newest]);
  return useMemo(
    () => (span === 'minutes' ? ledger.filter(entry => entry.moves.some(move => move.vmId === vmId)) : old),
    [ledger, old, span, vmId],
  );
}

function Legend(props: { readonly memory: VmMemory }) {
  const { text, language } = useSpeech();
  const { memory } = props;
  const size = (kib: number | null): string =>
    kib === null ? text.memory.noFigure : formatKib(kib, language);
  return (
    <div className="legend">
      <span className="actual">{`${text.memory.actual} ${size(memory.actualKib)}`}</span>
      <span className="target">{`${text.memory.target} ${size(memory.targetKib)}`}</span>
      <span className="used">{`${text.memory.inUse} ${size(memory.usedKib)}`}</span>
    </div>
  );
}

export function ChartSection(props: { readonly vm: VmSummary; readonly memory: VmMemory }) {
  const { text, language } = useSpeech();
  const { vm, memory } = props;
  const [span, setSpan] = useState<Span>('minutes');
  const [chosen, setChosen] = useState<LedgerEntry | null>(null);
  const now = useNow(1000);
  const samples = useSamples(vm, now, span);
  const entries = useEntries(vm, span);
  const theme = useStore(preferencesStore, state => state.theme);
  const size = (kib: number | null): string =>
    kib === null ? text.memory.noFigure : formatKib(kib, language);
  return (
    <section>
      <div className="section-head">
        <h2>{text.memory.chart}</h2>
        <Segmented
          label={text.memory.spanLabel}
          value={span}
          options={SPANS.map(value => ({ value, label: text.memory.spans[value] }))}
          onChange={value => {
            setChosen(null);
            setSpan(value);
          }}
        />
        <span className="grow" />
        {isRunning(vm) ? <Legend memory={memory} /> : null}
      </div>
      {samples.length === 0 ? (
        <p className="chart-empty">{text.memory.chartEmpty}</p>
      ) : (
        <>
          <p className="sr-only">
            {text.memory.chartSummary(
              vm.spec.name,
              size(memory.actualKib),
              size(memory.targetKib),
              size(memory.usedKib),
            )}
          </p>
          <MemoryChart
            samples={samples}
            entries={entries}
            span={span}
            chosen={chosen}
            onChoose={setChosen}
            maxKib={memory.maxKib}
            now={now}
            theme={theme}
          />
          {chosen === null ? null : (
            <div className="tick-sentence">
              <Ledger entries={[chosen]} empty="" limit={1} isLong={span !== 'minutes'} />
            </div>
          )}
          <details className="figures">
            <summary>{text.memory.chartTable}</summary>
            <SampleTable samples={samples} language={language} isLong={span === 'day' || span === 'week'} />
          </details>
        </>
      )}
    </section>
  );
}

function SampleTable(props: {
  readonly samples: readonly MemorySample[];
  readonly language: string;
  readonly isLong: boolean;
}) {
  const { text } = useSpeech();
  const size = (kib: number | null): string =>
    kib === null ? text.memory.noFigure : formatKib(kib, props.language);
  const every = Math.max(1, Math.floor(props.samples.length / 12));
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{text.memory.time}</th>
          <th scope="col">{text.memory.actual}</th>
          <th scope="col">{text.memory.target}</th>
          <th scope="col">{text.memory.used}</th>
        </tr>
      </thead>
      <tbody>
        {props.samples
          .filter((_sample, index) => index % every === 0)
          .map(sample => (
            <tr key={sample.at}>
              <td>{(props.isLong ? formatMoment : formatClock)(sample.at, props.language)}</td>
              <td>{size(sample.actualKib)}</td>
              <td>{size(sample.targetKib)}</td>
              <td>{size(sample.usedKib)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
