// The memory page of a VM: its range, balancing, the chart and the ledger.
import { Switch } from 'react-aria-components';
import type { HostMemory, VmMemory } from '../../shared/memory.ts';
import { offMemory } from '../../shared/off-memory.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { ManagedMark, useLock, useRule } from '../policy/ManagedMark.tsx';
import { useMay } from '../policy/role.ts';
import { useHue, useMemory, useService } from '../ui/hooks.ts';
import { Notice } from '../ui/Notice.tsx';
import { isRunning } from '../view/attention.ts';
import { formatKib } from '../view/format.ts';
import { ChartSection } from './ChartSection.tsx';
import { Ledger } from './Ledger.tsx';
import { RangeEditor } from './RangeEditor.tsx';
import { TrialStrip } from './TrialStrip.tsx';

const WEIGHTS = { low: 50, normal: 100, high: 200 } as const;

/** The limits IT sets on a range, and what happens to a VM's own range beyond them. */
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

/** Where the slider ends: at the budget of all VMs, or at the cap of each VM. */
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
  const may = useMay('memory.set-range');
  const isLocked = useLock('memory.change') !== null || !may;
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
