// Ctrl+K: jump to a VM, or do a verb to it.
import { useMemo, useState } from 'react';
import { Dialog as AriaDialog, Modal, ModalOverlay } from 'react-aria-components';
import type { RangeUndo } from '../../shared/memory.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { endFreeing, keepRange, shutDownVm, startVm, suspendVm, undoRange } from '../api/commands.ts';
import { type Speech, useSpeech } from '../i18n/text.ts';
import { ACTIVITY_TABS, goTo, openDialog, VM_TABS } from '../state/navigation.ts';
import { formatRange } from '../view/format.ts';
import { trialOf, undoTarget } from '../view/trial.ts';
import { useService, useVms } from './hooks.ts';
import { useDiskEntries } from './palette-disks.ts';

export interface Entry {
  readonly id: string;
  readonly label: string;
  readonly run: () => void;
}
const SHOWN_MAX = 9;

/** Taking the last change of a range back; of a trial, both its ends. */
function rangeEntries({ spec }: VmSummary, undo: RangeUndo, { text, language }: Speech): Entry[] {
  const { id, name } = spec;
  const entry = (key: string, words: string, run: () => unknown): Entry => ({
    id: `${id}${key}`,
    label: text.palette.tab(name, words),
    run: () => void run(),
  });
  if (trialOf(undo) !== null) {
    const tried = formatRange(spec.minKib, spec.maxKib, language);
    return [
      entry('keep', text.trial.keepNamed(tried), () => keepRange(id)),
      entry('back', text.trial.goBack, () => undoRange(id)),
    ];
  }
  const before = undoTarget(undo, spec);
  if (before === null) return [];
  const words = text.trial.undo(formatRange(before.minKib, before.maxKib, language));
  return [entry('undo', words, () => undoRange(id))];
}

const NO_UNDO: RangeUndo = { before: null, trialEndsAt: null };

function useEntries(): readonly Entry[] {
  const { text, language } = useSpeech();
  const vms = useVms();
  const undos = useService(state => state.ranges);
  const isKeptFree = useService(state => state.host !== null && state.host.freeUntil !== null);
  return useMemo(() => {
    const entries: Entry[] = vms.map(vm => ({
      id: vm.spec.id,
      label: text.palette.goTo(vm.spec.name),
      run: () => goTo({ kind: 'vm', vmId: vm.spec.id, tab: 'summary' }),
    }));
    for (const vm of vms) {
      const { id, name } = vm.spec;
      const act = (verb: string, run: () => void): void => {
        entries.push({ id: `${id}${verb}`, label: text.palette.act(verb, name), run });
      };
      if (['off', 'failed'].includes(vm.state.phase)) act(text.vm.start, () => void startVm(vm));
      if (vm.state.phase === 'suspended') act(text.vm.resume, () => void startVm(vm));
      if (vm.state.phase === 'running') {
        act(text.vm.suspend, () => void suspendVm(id));
        act(text.vm.shutdown, () => void shutDownVm(id));
      }
      entries.push(...rangeEntries(vm, undos[id] ?? NO_UNDO, { text, language }));
      for (const tab of VM_TABS) {
        entries.push({
          id: `${id}${tab}`,
          label: text.palette.tab(name, text.vm.tabs[tab]),
          run: () => goTo({ kind: 'vm', vmId: id, tab }),
        });
      }
    }
    entries.push(
      { id: 'overview', label: text.side.overview, run: () => goTo({ kind: 'overview' }) },
      ...ACTIVITY_TABS.map(tab => ({
        id: `activity-${tab}`,
        label: text.palette.tab(text.activity.title, text.activity.tabs[tab]),
        run: () => goTo({ kind: 'activity', tab }),
      })),
      { id: 'create', label: text.side.newVm, run: () => openDialog('create') },
      { id: 'settings', label: text.side.settings, run: () => openDialog('settings') },
      { id: 'free', label: text.free.action, run: () => openDialog('free') },
      ...(isKeptFree ? [{ id: 'end-free', label: text.free.endAction, run: () => void endFreeing() }] : []),
      { id: 'doctor', label: text.overview.doctor, run: () => openDialog('doctor') },
    );
    return entries;
  }, [vms, undos, isKeptFree, text, language]);
}

export function Palette(props: { readonly onClose: () => void }) {
  const { text } = useSpeech();
  const entries = [...useEntries(), ...useDiskEntries()];
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries
    .filter(entry => words.every(word => entry.label.toLowerCase().includes(word)))
    .slice(0, SHOWN_MAX);
  const chosen = found[Math.min(at, found.length - 1)];
  const run = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    props.onClose();
    entry.run();
  };
  return (
    <ModalOverlay
      className="overlay top"
      isOpen
      isDismissable
      onOpenChange={open => !open && props.onClose()}
    >
      <Modal className="modal palette">
        <AriaDialog className="dialog" aria-label={text.palette.title}>
          <input
            className="palette-input"
            role="combobox"
            aria-expanded
            aria-controls="palette-list"
            aria-activedescendant={chosen === undefined ? undefined : `palette-${chosen.id}`}
            aria-label={text.palette.title}
            placeholder={text.palette.placeholder}
            // biome-ignore lint/a11y/noAutofocus: the palette opens to be typed into
            autoFocus
            value={typed}
            onChange={event => {
              setTyped(event.target.value);
              setAt(0);
            }}
            onKeyDown={event => {
              if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1));
              else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
              else if (event.key === 'Enter') run(chosen);
              else return;
              event.preventDefault();
            }}
          />
          <div id="palette-list" role="listbox" aria-label={text.palette.title} className="palette-list">
            {found.map(entry => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the input above is the keyboard's way
              <div
                key={entry.id}
                id={`palette-${entry.id}`}
                role="option"
                tabIndex={-1}
                aria-selected={entry === chosen}
                onClick={() => run(entry)}
              >
                {entry.label}
              </div>
            ))}
          </div>
          {found.length === 0 ? <p className="palette-none">{text.palette.none}</p> : null}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
