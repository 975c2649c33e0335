// The Overview page: what needs attention, a table of every VM, the newest memory moves; or the first steps.
import { memo } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { MAY } from '../../shared/vm-phase.ts';
import { startVm } from '../api/commands.ts';
import { useSpeech } from '../i18n/text.ts';
import { Ledger } from '../memory/Ledger.tsx';
import { TrialStrip } from '../memory/TrialStrip.tsx';
import { goTo, openDialog } from '../state/navigation.ts';
import type { ServiceState } from '../state/service.ts';
import { Button } from '../ui/Button.tsx';
import { useHue, useNow, useService, useVms } from '../ui/hooks.ts';
import { isRunning } from '../view/attention.ts';
import { formatBytes, formatKib, formatRange } from '../view/format.ts';
import { historyBytes } from '../view/settle.ts';
import { AttentionList } from './AttentionList.tsx';
import { DeletedVms } from './DeletedVms.tsx';
import { FirstSteps } from './FirstSteps.tsx';
import { usePhaseWords } from './phase.ts';
import { Thumbnail } from './Thumbnail.tsx';

function RowAction(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const { vm } = props;
  const { id, name } = vm.spec;
  if (isRunning(vm)) {
    return (
      <Button
        label={text.palette.tab(name, text.vm.tabs.console)}
        onPress={() => goTo({ kind: 'vm', vmId: id, tab: 'console' })}
      >
        {text.vm.tabs.console}
      </Button>
    );
  }
  if (!MAY.start.includes(vm.state.phase)) return null;
  const verb = vm.state.phase === 'suspended' ? text.vm.resume : text.vm.start;
  return (
    <Button needs="vm.start" label={text.palette.act(verb, name)} onPress={() => startVm(vm)}>
      {verb}
    </Button>
  );
}

const Row = memo(function Row(props: { readonly vm: VmSummary; readonly now: number }) {
  const { text, language } = useSpeech();
  const { vm } = props;
  const ofMemory = (which: 'actualKib' | 'targetKib') => (state: ServiceState) =>
    state.host?.vms.find(other => other.vmId === vm.spec.id)?.[which] ?? null;
  const actualKib = useService(ofMemory('actualKib'));
  const targetKib = useService(ofMemory('targetKib'));
  const timeline = useService(state => state.timelines[vm.spec.id]);
  const hue = useHue();
  const phaseWords = usePhaseWords();
  const size = (kib: number | null): string => (kib === null ? '–' : formatKib(kib, language));
  return (
    <tr>
      <td>
        <a
          className="row-name"
          style={hue(vm.spec.id)}
          href={`#/vm/${vm.spec.id}/summary`}
          onClick={event => {
            event.preventDefault();
            goTo({ kind: 'vm', vmId: vm.spec.id, tab: 'summary' });
          }}
        >
          <i aria-hidden />
          <Thumbnail vm={vm} />
          <b title={vm.spec.name}>{vm.spec.name}</b>
          <span className="quiet">{text.os[vm.spec.os]}</span>
        </a>
      </td>
      <td>{phaseWords(vm, props.now)}</td>
      <td className="right">{size(actualKib)}</td>
      <td className="right quiet">{size(targetKib)}</td>
      <td className="right quiet">{formatRange(vm.spec.minKib, vm.spec.maxKib, language)}</td>
      <td className="quiet">
        {timeline === undefined
          ? ''
          : timeline.moments.length === 0
            ? text.overview.noPoints
            : text.overview.points(timeline.moments.length, formatBytes(historyBytes(timeline), language))}
      </td>
      <td className="right">
        <RowAction vm={vm} />
      </td>
    </tr>
  );
});

function VmTable() {
  const { text } = useSpeech();
  const vms = useVms();
  const now = useNow();
  const words = text.overview;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls sideways must be reachable
    <section className="table-wrap" tabIndex={0} aria-label={text.side.label}>
      <table className="table vms">
        <thead>
          <tr>
            <th scope="col">{words.name}</th>
            <th scope="col">{words.state}</th>
            <th scope="col" className="right">
              {words.memory}
            </th>
            <th scope="col" className="right">
              {words.target}
            </th>
            <th scope="col" className="right">
              {words.range}
            </th>
            <th scope="col">{words.history}</th>
            <th scope="col">
              <span className="sr-only">{words.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {vms.map(vm => (
            <Row key={vm.spec.id} vm={vm} now={now} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Overview() {
  const { text } = useSpeech();
  const vms = useVms();
  const ledger = useService(state => state.ledger);
  const trials = useService(state => state.ranges);
  const slow = vms.some(vm => vm.state.accelerator === 'tcg');
  return (
    <>
      <div className="head">
        <h1>{text.overview.title}</h1>
        {slow ? <span className="chip warn">{text.attention.slowMode}</span> : null}
        <span className="grow" />
        {vms.length === 0 ? null : (
          <>
            <Button onPress={() => openDialog('doctor')}>{text.overview.doctor}</Button>
            <Button needs="vm.create" look="go" onPress={() => openDialog('create')}>
              {text.side.newVm}
            </Button>
          </>
        )}
      </div>
      <div className="page">
        {vms.length === 0 ? (
          <>
            <FirstSteps />
            <DeletedVms />
          </>
        ) : (
          <>
            {vms
              .filter(vm => trials[vm.spec.id]?.trialEndsAt)
              .map(vm => (
                <TrialStrip key={vm.spec.id} vm={vm} />
              ))}
            <AttentionList />
            <VmTable />
            <DeletedVms />
            <section>
              <h2>{text.overview.recent}</h2>
              <Ledger entries={ledger} empty={text.overview.quiet} limit={8} />
            </section>
          </>
        )}
      </div>
    </>
  );
}
