// The memory page of a VM: range, balancing, chart, why.
import { useEffect, useMemo, useState } from 'react';
import { Switch } from 'react-aria-components';
import { useStore } from 'zustand';
import type { HostMemory, MemorySample, VmMemory } from '../../shared/memory.ts';
import { offMemory } from '../../shared/off-memory.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { ManagedMark, useLock, useRule } from '../policy/ManagedMark.tsx';
import { preferencesStore } from '../state/preferences.ts';
import { useHue, useMemory, useNow, useService } from '../ui/hooks.ts';
import { Notice } from '../ui/Notice.tsx';
import { isRunning } from '../view/attention.ts';
import { formatClock, formatKib } from '../view/format.ts';
import { Ledger } from './Ledger.tsx';
import { MemoryChart, WINDOW_MS } from './MemoryChart.tsx';
import { RangeEditor } from './RangeEditor.tsx';
import { TrialStrip } from './TrialStrip.tsx';

const WEIGHTS = { low: 50, normal: 100, high: 200 } as const;
const NO_SAMPLES: readonly MemorySample[] = [];

/** What the service remembers, then what this page saw live. */
function useSamples(vm: VmSummary, now: number): readonly MemorySample[] {
  const live = useService(state => state.samples[vm.spec.id] ?? NO_SAMPLES);
  const [old, setOld] = useState<readonly MemorySample[]>(NO_SAMPLES);
  const vmId = vm.spec.id;
  const looks = useService(state => state.looks);
  // biome-ignore lint/correctness/useExhaustiveDependencies: again after a time nobody looked
  useEffect(() => {
    let isHere = true;
    // A chart without its past is still a chart: nothing to tell.
    call('memory.history', { vmId, sinceMs: Math.max(0, Date.now() - WINDOW_MS) }).then(
      ({ samples }) => isHere && setOld(samples),
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, [vmId, looks]);
  return useMemo(() => {
    const first = live[0]?.at ?? Number.POSITIVE_INFINITY;
    return [...old.filter(sample => sample.at < first), ...live].filter(
      sample => sample.at > now - WINDOW_MS,
    );
  }, [old, live, now]);
}

/** What IT leaves of a range, and what becomes of the VM's own. */
function RangeRules(props: { readonly vm: VmSummary }) {
  const { text, language } = useSpeech();
  const { spec } = props.vm;
  const [most, least, change] = [
    useRule('memory.vm.max'),
    useRule('memory.vm.min'),
    useLock('memory.change'),
  ];
  const limitKib = most?.max ?? null;
  const size = (kib: number): string => formatKib(kib, language);
  return (
    <>
      {limitKib !== null && limitKib < spec.maxKib ? (
        <p className="hint warn">{text.policy.limited(spec.name, size(limitKib), size(spec.maxKib))}</p>
      ) : null}
      {[change, most, least].map(rule =>
        rule === null ? null : (
          <p key={rule.key}>
            <ManagedMark rule={rule} />
          </p>
        ),
      )}
    </>
  );
}

function Balance(props: { readonly memory: VmMemory; readonly isLocked: boolean }) {
  const { text } = useSpeech();
  const { vmId, balanced, weight } = props.memory;
  const set = (change: { balanced?: boolean; weight?: number }): void =>
    void attempt(text.memory.balanced, () =>
      call('memory.set-balance', { vmId, balanced, weight, ...change }),
    );
  const known = Object.entries(WEIGHTS).find(([, value]) => value === weight)?.[0] ?? 'custom';
  return (
    <div className="balance">
      <Switch
        className="switch"
        isDisabled={props.isLocked}
        isSelected={balanced}
        onChange={on => set({ balanced: on })}
      >
        <span className="switch-track" aria-hidden />
        {text.memory.balanced}
      </Switch>
      <label className="pair">
        <span>{text.memory.weight}</span>
        <select
          className="select"
          value={known}
          disabled={!balanced || props.isLocked}
          onChange={event => {
            const chosen = WEIGHTS[event.target.value as keyof typeof WEIGHTS];
            if (chosen !== undefined) set({ weight: chosen });
          }}
        >
          <option value="low">{text.memory.weights.low}</option>
          <option value="normal">{text.memory.weights.normal}</option>
          <option value="high">{text.memory.weights.high}</option>
          {known === 'custom' ? <option value="custom">{text.memory.weights.custom(weight)}</option> : null}
        </select>
      </label>
      {balanced ? null : <span className="quiet">{text.memory.balancedNote}</span>}
    </div>
  );
}

function ChartSection(props: { readonly vm: VmSummary; readonly memory: VmMemory }) {
  const { text, language } = useSpeech();
  const { vm, memory } = props;
  const now = useNow(1000);
  const samples = useSamples(vm, now);
  const theme = useStore(preferencesStore, state => state.theme);
  const ledger = useService(state => state.ledger);
  const entries = useMemo(
    () => ledger.filter(entry => entry.moves.some(move => move.vmId === vm.spec.id)),
    [ledger, vm.spec.id],
  );
  const size = (kib: number | null): string =>
    kib === null ? text.memory.noFigure : formatKib(kib, language);
  return (
    <section>
      <div className="section-head">
        <h2>{text.memory.chart}</h2>
        {isRunning(vm) ? (
          <div className="legend">
            <span className="actual">{`${text.memory.actual} ${size(memory.actualKib)}`}</span>
            <span className="target">{`${text.memory.target} ${size(memory.targetKib)}`}</span>
            <span className="used">{`${text.memory.inUse} ${size(memory.usedKib)}`}</span>
          </div>
        ) : null}
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
          <MemoryChart samples={samples} entries={entries} maxKib={memory.maxKib} now={now} theme={theme} />
          <details className="figures">
            <summary>{text.memory.chartTable}</summary>
            <SampleTable samples={samples} language={language} />
          </details>
        </>
      )}
    </section>
  );
}

function SampleTable(props: { readonly samples: readonly MemorySample[]; readonly language: string }) {
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
              <td>{formatClock(sample.at, props.language)}</td>
              <td>{size(sample.actualKib)}</td>
              <td>{size(sample.targetKib)}</td>
              <td>{size(sample.usedKib)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

/** Where the slider ends: at what all VMs may use, or at the limit of each. */
const rangeEnd = (host: HostMemory | null, { maxKib }: VmMemory): number =>
  host === null ? maxKib * 2 : Math.min(host.budgetKib, host.capKib ?? host.budgetKib);

export function MemoryTab(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const { vm } = props;
  const host = useService((state): HostMemory | null => state.host);
  const mostKib = useRule('memory.vm.max')?.max ?? Number.MAX_SAFE_INTEGER;
  const { minKib, maxKib } = vm.spec;
  const bound = { ...vm.spec, minKib: Math.min(minKib, mostKib), maxKib: Math.min(maxKib, mostKib) };
  const memory = useMemory(vm.spec.id) ?? offMemory(bound);
  const hue = useHue();
  const ledger = useService(state => state.ledger);
  const entries = ledger.filter(entry => entry.moves.some(move => move.vmId === vm.spec.id));
  const isLocked = useLock('memory.change') !== null;
  const noDriver = isRunning(vm) && (memory.balloon === 'no-driver' || !vm.spec.balloon);
  return (
    <div className="page memory-page" style={hue(vm.spec.id)}>
      {noDriver ? (
        <Notice tone="warn" title={text.memory.noBalloonTitle}>
          {text.memory.noBalloonText}
        </Notice>
      ) : null}
      <TrialStrip vm={vm} />
      <section>
        <div className="section-head">
          <h2>{text.memory.range}</h2>
          <span className="soft">
            {isRunning(vm) ? text.memory.rangeText(vm.spec.name) : text.memory.rangeTextOff(vm.spec.name)}
          </span>
        </div>
        <RangeEditor
          memory={memory}
          budgetKib={rangeEnd(host, memory)}
          canTry={isRunning(vm)}
          isLocked={isLocked}
        />
        <RangeRules vm={vm} />
        <Balance memory={memory} isLocked={isLocked} />
      </section>
      <ChartSection vm={vm} memory={memory} />
      <section>
        <h2>{text.memory.why}</h2>
        <Ledger entries={entries} empty={text.memory.whyEmpty} limit={20} />
      </section>
    </div>
  );
}
