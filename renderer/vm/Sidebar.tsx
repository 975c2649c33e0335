// The side list of VMs: state as a shape, name, memory as a mini bar. Folds to icons in a narrow window.
import { Activity, CircleHelp, Eye, Monitor, Plus, Search, Settings } from 'lucide-react';
import { type CSSProperties, Fragment, memo } from 'react';
import { useStore } from 'zustand';
import type { VmSummary } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';
import { TrialMark } from '../memory/TrialStrip.tsx';
import { goTo, navigationStore, openDialog } from '../state/navigation.ts';
import type { ServiceState } from '../state/service.ts';
import { Button } from '../ui/Button.tsx';
import { useMemory, useRangeUndo, useService, useVms } from '../ui/hooks.ts';
import { StateShape } from '../ui/Shapes.tsx';
import { findAttention, isRunning, vmHues } from '../view/attention.ts';
import { formatKibPair } from '../view/format.ts';
import { groupsOf } from '../view/groups.ts';
import { trialOf } from '../view/trial.ts';

const VmRow = memo(function VmRow(props: {
  readonly vm: VmSummary;
  readonly isHere: boolean;
  readonly needsEye: boolean;
  readonly hue: number;
}) {
  const { text, language } = useSpeech();
  const { vm } = props;
  const memory = useMemory(vm.spec.id);
  const trial = trialOf(useRangeUndo(vm.spec.id));
  const { name, id } = vm.spec;
  const isLive = isRunning(vm) && memory !== null && memory.actualKib !== null;
  const phase = text.phase[vm.state.phase];
  const [part, whole] = isLive ? formatKibPair(memory.actualKib ?? 0, memory.maxKib, language) : ['', ''];
  return (
    <li>
      <button
        type="button"
        className={`side-vm ${isLive ? '' : 'off'}`}
        style={{ '--c': `var(--vm${props.hue})` } as CSSProperties}
        aria-current={props.isHere ? 'page' : undefined}
        title={`${name} · ${phase}`}
        onClick={() => goTo({ kind: 'vm', vmId: id, tab: 'summary' })}
      >
        <StateShape phase={vm.state.phase} warn={props.needsEye} />
        <span className="initial" aria-hidden>
          {[...name][0]}
        </span>
        <span className="name">
          {vm.spec.peek === null ? null : (
            <Eye className="peek-mark" size={13} role="img" aria-label={text.peek.mark} />
          )}
          {vm.spec.peek?.momentName || name}
        </span>
        <span className={`figure ${trial === null ? '' : 'trial'}`}>
          {trial !== null ? (
            <>
              <span className="sr-only">{phase}, </span>
              <TrialMark trial={trial} />
            </>
          ) : isLive ? (
            <>
              <span className="sr-only">{phase}, </span>
              {text.side.pair(part, whole)}
            </>
          ) : (
            phase
          )}
        </span>
        {isLive ? (
          <span className="mini" aria-hidden>
            <i
              style={{
                width: `${Math.min(100, ((memory.actualKib ?? 0) / Math.max(1, memory.maxKib)) * 100)}%`,
              }}
            />
          </span>
        ) : null}
      </button>
    </li>
  );
});

/** The ids of VMs that need attention as one string, so that the list is redrawn only when they change. */
const eyesOf = (state: ServiceState): string =>
  findAttention({ ...state, vms: state.vms ?? [] })
    .map(found => ('vm' in found ? found.vm.spec.id : ''))
    .join(' ');

export function Sidebar() {
  const { text, language } = useSpeech();
  const vms = useVms();
  const place = useStore(navigationStore, state => state.place);
  const hues = vmHues(vms);
  const eyes = new Set(useService(eyesOf).split(' '));
  return (
    <nav className="side" aria-label={text.side.label}>
      <button type="button" className="find" onClick={() => openDialog('palette')}>
        <Search size={14} aria-hidden />
        <span>{text.side.find}</span>
        <kbd aria-hidden>Ctrl K</kbd>
      </button>
      <button
        type="button"
        className="side-vm place"
        aria-current={place.kind === 'overview' ? 'page' : undefined}
        title={text.side.overview}
        onClick={() => goTo({ kind: 'overview' })}
      >
        <Monitor size={15} strokeWidth={1.75} aria-hidden />
        <span className="name">{text.side.overview}</span>
      </button>
      <button
        type="button"
        className="side-vm place"
        aria-current={place.kind === 'activity' ? 'page' : undefined}
        title={text.activity.title}
        onClick={() => goTo({ kind: 'activity', tab: 'jobs' })}
      >
        <Activity size={15} strokeWidth={1.75} aria-hidden />
        <span className="name">{text.activity.title}</span>
      </button>
      <ul className="side-list">
        {groupsOf(vms, language).map(group => (
          <Fragment key={group.name}>
            {group.name === '' ? null : (
              <li className="side-group fold" title={group.name}>
                {group.name}
              </li>
            )}
            {group.vms.map(vm => (
              <VmRow
                key={vm.spec.id}
                vm={vm}
                isHere={place.kind === 'vm' && place.vmId === vm.spec.id}
                needsEye={eyes.has(vm.spec.id)}
                hue={hues[vm.spec.id] ?? 1}
              />
            ))}
          </Fragment>
        ))}
        {vms.length === 0 ? <li className="side-empty">{text.side.empty}</li> : null}
      </ul>
      <div className="side-foot">
        <Button needs="vm.create" onPress={() => openDialog('create')} label={text.side.newVm}>
          <Plus size={15} aria-hidden />
          <span className="fold">{text.side.newVm}</span>
        </Button>
        <Button look="icon" label={text.help.title} onPress={() => goTo({ kind: 'help', page: 'guide' })}>
          <CircleHelp size={16} strokeWidth={1.75} aria-hidden />
        </Button>
        <Button look="icon" label={text.side.settings} onPress={() => openDialog('settings')}>
          <Settings size={16} strokeWidth={1.75} aria-hidden />
        </Button>
      </div>
    </nav>
  );
}
