// A VM's header: its name, its state in a chip, and the verbs of that state; the primary one is filled.
import { Ellipsis } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { useStore } from 'zustand';
import { mayCall } from '../../shared/roles.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { MAY } from '../../shared/vm-phase.ts';
import { attempt, shutDownVm, startVm, suspendVm } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { TrialChip } from '../memory/TrialStrip.tsx';
import { ManagedMark, useLock } from '../policy/ManagedMark.tsx';
import { useRole } from '../policy/role.ts';
import { answered, askedStore, VM_DIALOGS, type VmDialogName } from '../state/asked.ts';
import { goTo, type VmTab } from '../state/navigation.ts';
import { Button } from '../ui/Button.tsx';
import { useHue, useNow } from '../ui/hooks.ts';
import { StateShape } from '../ui/Shapes.tsx';
import { VERB_NEEDS, verbsIn } from '../view/vm-verbs.ts';
import { usePhaseWords } from './phase.ts';
import { VmDialogs } from './VmDialogs.tsx';

const TONES: Partial<Record<VmSummary['state']['phase'], string>> = {
  running: '',
  failed: 'bad',
  paused: 'warn',
};

function MoreMenu(props: { readonly vm: VmSummary; readonly open: (dialog: VmDialogName) => void }) {
  const { text } = useSpeech();
  const { id } = props.vm.spec;
  const verbs = verbsIn(props.vm.state.phase);
  const keeps = useLock('vm.delete');
  const role = useRole();
  return (
    <MenuTrigger>
      <AriaButton className="btn icon" aria-label={text.vm.more}>
        <Ellipsis size={16} aria-hidden />
      </AriaButton>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={text.vm.more}>
          {verbs.includes('pause') ? (
            <MenuItem
              isDisabled={!mayCall(role, 'vm.pause')}
              onAction={() => void attempt(text.vm.pause, () => call('vm.pause', { vmId: id }))}
            >
              {text.vm.pause}
            </MenuItem>
          ) : null}
          {VM_DIALOGS.filter(verb => verbs.includes(verb)).map(verb => {
            const lock = verb === 'delete' ? keeps : null;
            return (
              <MenuItem
                key={verb}
                isDisabled={lock !== null || !mayCall(role, VERB_NEEDS[verb])}
                onAction={() => props.open(verb)}
              >
                {text.vm[verb]}
                <ManagedMark rule={lock} />
              </MenuItem>
            );
          })}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function Verbs(props: { readonly vm: VmSummary; readonly tab: VmTab }) {
  const { text } = useSpeech();
  const { vm } = props;
  const { id } = vm.spec;
  const { phase } = vm.state;
  const primary = props.tab === 'history' ? 'plain' : 'go';
  if (phase === 'running') {
    return (
      <>
        <Button needs="vm.suspend" onPress={() => suspendVm(id)}>
          {text.vm.suspend}
        </Button>
        <Button needs="vm.stop" onPress={() => shutDownVm(id)}>
          {text.vm.shutdown}
        </Button>
        {props.tab === 'console' ? null : (
          <Button
            needs="console.open"
            look={primary}
            onPress={() => goTo({ kind: 'vm', vmId: id, tab: 'console' })}
          >
            {text.vm.openConsole}
          </Button>
        )}
      </>
    );
  }
  if (phase === 'paused') {
    return (
      <Button
        needs="vm.resume"
        look={primary}
        onPress={() => attempt(text.vm.unpause, () => call('vm.resume', { vmId: id }))}
      >
        {text.vm.unpause}
      </Button>
    );
  }
  if (MAY.start.includes(phase)) {
    return (
      <Button needs="vm.start" look={primary} onPress={() => startVm(vm)}>
        {phase === 'suspended' ? text.vm.resume : text.vm.start}
      </Button>
    );
  }
  return null;
}

/** Opens a dialog that was asked for elsewhere. */
function useAskedDialog(vm: VmSummary, open: (dialog: VmDialogName) => void): void {
  const asked = useStore(askedStore, state => state.asked);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new question moves this on
  useEffect(() => {
    const verb = VM_DIALOGS.find(name => asked?.vmId === vm.spec.id && asked.verb === `vm-${name}`);
    if (verb === undefined) return;
    answered();
    open(verb);
  }, [asked]);
}

export function VmHeader(props: { readonly vm: VmSummary; readonly tab: VmTab }) {
  const { text } = useSpeech();
  const { vm } = props;
  const now = useNow(1000);
  const phaseWords = usePhaseWords();
  const hue = useHue();
  const [dialog, setDialog] = useState<VmDialogName | null>(null);
  useAskedDialog(vm, setDialog);
  return (
    <div className="head" style={hue(vm.spec.id)}>
      <h1 title={vm.spec.name}>{vm.spec.name}</h1>
      <span className={`chip ${TONES[vm.state.phase] ?? 'calm'}`} title={text.spoken(vm.state.detail)}>
        <StateShape phase={vm.state.phase} />
        {phaseWords(vm, now)}
      </span>
      <span className="chip calm fold-narrow">{text.os[vm.spec.os]}</span>
      {vm.state.accelerator === 'tcg' ? (
        <span className="chip warn fold-narrow" title={text.attention.slowModeText}>
          {text.attention.slowMode}
        </span>
      ) : null}
      {props.tab === 'memory' ? null : <TrialChip vm={vm} />}
      <span className="grow" />
      <div className="verbs">
        <MoreMenu vm={vm} open={setDialog} />
        <Verbs vm={vm} tab={props.tab} />
      </div>
      <VmDialogs vm={vm} dialog={dialog} onClose={() => setDialog(null)} />
    </div>
  );
}
