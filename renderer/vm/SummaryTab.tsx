// The summary page of a VM: four facts, each with the one thing to do about it.
import type { ReactNode } from 'react';
import type { Timeline } from '../../shared/timeline.ts';
import { discOf, type VmSummary } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';
import { ask } from '../state/asked.ts';
import { goTo } from '../state/navigation.ts';
import { Button } from '../ui/Button.tsx';
import { useHue, useMemory, useService } from '../ui/hooks.ts';
import { isRunning } from '../view/attention.ts';
import { formatBytes, formatKib, formatMoment, formatRange } from '../view/format.ts';
import { pointName } from '../view/points.ts';
import { historyBytes } from '../view/settle.ts';

function Fact(props: { readonly title: string; readonly action?: ReactNode; readonly children: ReactNode }) {
  return (
    <section className="fact">
      <div className="section-head">
        <h2>{props.title}</h2>
        <span className="grow" />
        {props.action}
      </div>
      {props.children}
    </section>
  );
}

function Pairs(props: { readonly rows: readonly (readonly [string, string])[] }) {
  return (
    <dl className="pairs">
      {props.rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function MemoryFact(props: { readonly vm: VmSummary }) {
  const { text, language } = useSpeech();
  const { vm } = props;
  const memory = useMemory(vm.spec.id);
  const size = (kib: number): string => formatKib(kib, language);
  const range = formatRange(vm.spec.minKib, vm.spec.maxKib, language);
  const actual = isRunning(vm) ? (memory?.actualKib ?? null) : null;
  return (
    <Fact
      title={text.summary.memory}
      action={
        <Button look="flat" onPress={() => goTo({ kind: 'vm', vmId: vm.spec.id, tab: 'memory' })}>
          {text.summary.open}
        </Button>
      }
    >
      <p className="big">{actual === null ? range : size(actual)}</p>
      <div className="mini wide" aria-hidden>
        <i style={{ width: `${Math.min(100, ((actual ?? 0) / Math.max(1, vm.spec.maxKib)) * 100)}%` }} />
        <b style={{ left: `${(vm.spec.minKib / Math.max(1, vm.spec.maxKib)) * 100}%` }} />
      </div>
      <p className="soft">
        {actual !== null
          ? text.summary.memoryLine(range)
          : vm.state.pid === null
            ? text.summary.memoryOff
            : ''}
      </p>
    </Fact>
  );
}

function HistoryFact(props: { readonly vm: VmSummary; readonly timeline: Timeline | undefined }) {
  const { text, language } = useSpeech();
  const { timeline } = props;
  const newest = [...(timeline?.moments ?? [])].sort((a, b) => b.takenAt - a.takenAt)[0];
  const vmId = props.vm.spec.id;
  return (
    <Fact
      title={text.summary.history}
      action={
        <>
          <Button look="flat" onPress={() => goTo({ kind: 'vm', vmId, tab: 'history' })}>
            {text.summary.open}
          </Button>
          <Button needs="moment.take" onPress={() => ask(vmId, 'take')}>
            {text.summary.take}
          </Button>
        </>
      }
    >
      <p className="big">{timeline === undefined ? '–' : text.summary.points(timeline.moments.length)}</p>
      <p className="soft">
        {newest === undefined
          ? text.summary.noPoints
          : text.summary.last(pointName(newest, text), formatMoment(newest.takenAt, language))}
      </p>
    </Fact>
  );
}

function DiskFact(props: { readonly timeline: Timeline | undefined; readonly vm: VmSummary }) {
  const { text, language } = useSpeech();
  const { timeline } = props;
  const bytes = (value: number): string => formatBytes(value, language);
  const virtual = props.vm.spec.disks.reduce((sum, disk) => sum + disk.virtualBytes, 0);
  const depth = Math.max(0, ...(timeline?.disks.map(disk => disk.depth) ?? []));
  return (
    <Fact title={text.summary.disk}>
      <p className="big">{timeline === undefined ? bytes(virtual) : bytes(historyBytes(timeline))}</p>
      <Pairs
        rows={[
          [text.summary.virtual, bytes(virtual)],
          ...(timeline === undefined ? [] : [[text.summary.freeDisk, bytes(timeline.freeBytes)] as const]),
        ]}
      />
      {timeline === undefined ? null : (
        <p className="soft">
          {depth <= 1
            ? text.summary.oneFile
            : depth === 2
              ? text.summary.twoFiles
              : text.summary.manyFiles(depth)}
        </p>
      )}
    </Fact>
  );
}

function MachineFact(props: { readonly vm: VmSummary }) {
  const { text, language } = useSpeech();
  const { spec, state } = props.vm;
  const boots =
    spec.boot.kind === 'sample'
      ? text.summary.bootSample
      : spec.boot.kind === 'iso'
        ? text.summary.bootIso(discOf(spec) ?? '')
        : text.summary.bootDisk;
  const accelerator =
    state.accelerator === null
      ? text.summary.acceleratorNone
      : state.accelerator === 'tcg'
        ? text.summary.acceleratorTcg
        : state.accelerator.toUpperCase();
  return (
    <Fact title={text.summary.machine}>
      <Pairs
        rows={[
          [text.summary.cpus, String(spec.cpus)],
          [text.summary.boots, boots],
          [text.summary.accelerator, accelerator],
          [text.setup.machine.firmware, text.setup.machine.firmwares[spec.firmware]],
          [text.summary.network, text.setup.network.modes[spec.network]],
          ...spec.portForwards.map(
            forward =>
              [
                text.summary.forwards,
                `${forward.protocol} ${forward.hostPort} → ${forward.guestPort}`,
              ] as const,
          ),
          [text.summary.created, formatMoment(spec.createdAt, language)],
        ]}
      />
      {state.phase === 'running' ? (
        <p className="soft">
          {state.guestUp
            ? text.summary.guestUp
            : state.coming === 'silent'
              ? text.summary.guestSilent
              : text.summary.guestQuiet}
        </p>
      ) : null}
    </Fact>
  );
}

export function SummaryTab(props: { readonly vm: VmSummary }) {
  const hue = useHue();
  const timeline = useService(state => state.timelines[props.vm.spec.id]);
  return (
    <div className="page facts" style={hue(props.vm.spec.id)}>
      <MemoryFact vm={props.vm} />
      <HistoryFact vm={props.vm} timeline={timeline} />
      <DiskFact vm={props.vm} timeline={timeline} />
      <MachineFact vm={props.vm} />
    </div>
  );
}
