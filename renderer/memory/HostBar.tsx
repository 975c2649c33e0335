// The host bar, always on top: who holds the host's memory. Each VM's segment keeps asked and done apart.
import type { CSSProperties } from 'react';
import { useSpeech } from '../i18n/text.ts';
import { goTo } from '../state/navigation.ts';
import { useHue, useService, useVms } from '../ui/hooks.ts';
import { Mark } from '../ui/Shapes.tsx';
import { formatKib } from '../view/format.ts';
import { hostSegments, type Segment } from '../view/host-bar.ts';
import { HostNote } from './HostNote.tsx';

const percent = (share: number): string => `${(share * 100).toFixed(3)}%`;

/** A narrower segment shows no notch: it would cover the whole segment. */
const NOTCH_WIDTH_MIN = 0.012;
/** A narrower segment shows its name only on hover and to the screen reader. */
const LABEL_WIDTH_MIN = 0.035;

function VmSegment(props: {
  readonly segment: Extract<Segment, { kind: 'vm' }>;
  readonly name: string;
  readonly hue: CSSProperties;
}) {
  const { text, language } = useSpeech();
  const { vm, width, actual, target, notch } = props.segment;
  const size = (kib: number | null): string => (kib === null ? text.host.none : formatKib(kib, language));
  const label = text.host.segVm(props.name, size(vm.actualKib), size(vm.targetKib), size(vm.minKib));
  return (
    <button
      type="button"
      className="seg vm"
      style={{ ...props.hue, width: percent(width) }}
      title={label}
      aria-label={label}
      onClick={() => goTo({ kind: 'vm', vmId: vm.vmId, tab: 'memory' })}
    >
      {target === null || Math.abs(target - actual) < 0.01 ? null : <u style={{ width: percent(target) }} />}
      <i className={actual > 0.985 ? 'full' : ''} style={{ width: percent(actual) }} />
      {width < NOTCH_WIDTH_MIN ? null : <b style={{ left: `min(${percent(notch)}, 100% - 2px)` }} />}
      {width < LABEL_WIDTH_MIN ? null : <span>{props.name}</span>}
    </button>
  );
}

function Bar() {
  const { text, language } = useSpeech();
  const host = useService(state => state.host);
  const vms = useVms();
  const hue = useHue();
  if (host === null) return <div className="bar waiting">{text.host.waiting}</div>;
  const size = (kib: number): string => formatKib(kib, language);
  const { segReserve, segOwn, segFree, segKept } = text.host;
  const titles = { reserve: segReserve, own: segOwn, free: segFree, kept: segKept };
  return (
    <section className="bar" aria-label={text.host.label}>
      {hostSegments(host).map(segment => {
        if (segment.kind === 'vm') {
          const name = vms.find(vm => vm.spec.id === segment.vm.vmId)?.spec.name ?? '';
          return <VmSegment key={segment.vm.vmId} segment={segment} name={name} hue={hue(segment.vm.vmId)} />;
        }
        const title = titles[segment.kind](size(segment.kib));
        return (
          <div
            key={segment.kind}
            className={`seg ${segment.kind}`}
            style={{ width: percent(segment.width) }}
            title={title}
            role="img"
            aria-label={title}
          />
        );
      })}
    </section>
  );
}

export function HostBar() {
  const { text } = useSpeech();
  return (
    <header className="host">
      <button type="button" className="brand" onClick={() => goTo({ kind: 'overview' })}>
        <Mark />
        <span>{text.app.name}</span>
      </button>
      <Bar />
      <HostNote />
    </header>
  );
}
