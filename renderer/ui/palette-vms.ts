// The palette's verbs on VMs and on this computer: all of them, on whatever page the person is.

import { useMemo } from 'react';
import type { RangeUndo } from '../../shared/memory.ts';
import { isKept, type VmSummary } from '../../shared/vm.ts';
import {
  attempt,
  endFreeing,
  endPeek,
  keepRange,
  shutDownVm,
  startVm,
  suspendVm,
  undoRange,
} from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { HELP_PAGES } from '../help/pages.ts';
import { type Speech, useSpeech } from '../i18n/text.ts';
import type { Needs } from '../policy/role.ts';
import { ask } from '../state/asked.ts';
import { ACTIVITY_TABS, goTo, openDialog, VM_TABS } from '../state/navigation.ts';
import { formatRange } from '../view/format.ts';
import { trialOf, undoTarget } from '../view/trial.ts';
import { VERB_NEEDS, type VmVerb, verbsIn } from '../view/vm-verbs.ts';
import { useService, useVms } from './hooks.ts';
import type { Entry } from './Palette.tsx';

/** Verbs on the last change of a range: take it back; for a trial, keep it or end it. */
function rangeEntries({ spec }: VmSummary, undo: RangeUndo, { text, language }: Speech): Entry[] {
  const { id, name } = spec;
  const entry = (
    key: string,
    words: string,
    run: () => unknown,
    needs: Needs = 'memory.undo-range',
  ): Entry => ({
    id: `${id}${key}`,
    label: text.palette.tab(name, words),
    needs,
    run: () => void run(),
  });
  if (trialOf(undo) !== null) {
    const tried = formatRange(spec.minKib, spec.maxKib, language);
    return [
      entry('keep', text.trial.keepNamed(tried), () => keepRange(id), 'memory.keep-range'),
      entry('back', text.trial.goBack, () => undoRange(id)),
    ];
  }
  const before = undoTarget(undo, spec);
  if (before === null) return [];
  const words = text.trial.undo(formatRange(before.minKib, before.maxKib, language));
  return [entry('undo', words, () => undoRange(id))];
}

const NO_UNDO: RangeUndo = { before: null, trialEndsAt: null };

function runVerb(vm: VmSummary, verb: VmVerb, words: string): unknown {
  const vmId = vm.spec.id;
  switch (verb) {
    case 'start':
    case 'resume':
      return startVm(vm);
    case 'suspend':
      return suspendVm(vmId);
    case 'shutdown':
      return shutDownVm(vmId);
    case 'pause':
      return attempt(words, () => call('vm.pause', { vmId }));
    case 'unpause':
      return attempt(words, () => call('vm.resume', { vmId }));
    default:
      return ask(vmId, `vm-${verb}`);
  }
}

function vmEntries(vm: VmSummary, undo: RangeUndo, speech: Speech): Entry[] {
  const { text } = speech;
  const { id, name } = vm.spec;
  if (!isKept(vm.spec))
    return [
      {
        id: `${id}close`,
        label: text.palette.tab(name, text.peek.close),
        needs: 'vm.stop',
        run: () => void endPeek(vm),
      },
    ];
  return [
    ...verbsIn(vm.state.phase).map(verb => ({
      id: `${id}${verb}`,
      // A verb with an ellipsis opens a dialog, so it is named like a page.
      label: text.vm[verb].endsWith('…')
        ? text.palette.tab(name, text.vm[verb])
        : text.palette.act(text.vm[verb], name),
      needs: VERB_NEEDS[verb],
      run: () => void runVerb(vm, verb, text.vm[verb]),
    })),
    ...rangeEntries(vm, undo, speech),
    ...VM_TABS.map(tab => ({
      id: `${id}${tab}`,
      label: text.palette.tab(name, text.vm.tabs[tab]),
      ...(tab === 'console' ? { needs: 'console.open' as const } : {}),
      run: () => goTo({ kind: 'vm' as const, vmId: id, tab }),
    })),
  ];
}

function useTaskEntries(): readonly Entry[] {
  const { text } = useSpeech();
  const tasks = useService(state => state.tasks);
  return tasks
    .filter(task => task.state === 'running')
    .flatMap(({ id: taskId, title: told, isPaused, canPause, canCancel }) => {
      const title = text.spoken(told);
      const entry = (verb: 'pause' | 'resume' | 'cancel', label: string): Entry => ({
        id: `${taskId}${verb}`,
        label,
        needs: `task.${verb}`,
        run: () => void attempt(label, () => call(`task.${verb}`, { taskId })),
      });
      return [
        ...(isPaused ? [entry('resume', text.tasks.resumeTitle(title))] : []),
        ...(canPause && !isPaused ? [entry('pause', text.tasks.pauseTitle(title))] : []),
        ...(canCancel ? [entry('cancel', text.tasks.cancel(title))] : []),
      ];
    });
}

export function useVmEntries(): readonly Entry[] {
  const speech = useSpeech();
  const vms = useVms();
  const undos = useService(state => state.ranges);
  const isKeptFree = useService(state => state.host !== null && state.host.freeUntil !== null);
  const tasks = useTaskEntries();
  const ofVms = useMemo(
    () => [
      ...vms.map(vm => ({
        id: vm.spec.id,
        label: speech.text.palette.goTo(vm.spec.name),
        run: () => goTo({ kind: 'vm' as const, vmId: vm.spec.id, tab: 'summary' as const }),
      })),
      ...vms.flatMap(vm => vmEntries(vm, undos[vm.spec.id] ?? NO_UNDO, speech)),
    ],
    [vms, undos, speech],
  );
  const { text } = speech;
  const endFree: Entry = {
    id: 'end-free',
    label: text.free.endAction,
    needs: 'memory.free',
    run: () => void endFreeing(),
  };
  return [
    ...ofVms,
    ...tasks,
    { id: 'overview', label: text.side.overview, run: () => goTo({ kind: 'overview' }) },
    ...ACTIVITY_TABS.map(tab => ({
      id: `activity-${tab}`,
      label: text.palette.tab(text.activity.title, text.activity.tabs[tab]),
      ...(tab === 'audit' ? { needs: 'audit.list' as const } : {}),
      run: () => goTo({ kind: 'activity', tab }),
    })),
    { id: 'create', label: text.side.newVm, needs: 'vm.create', run: () => openDialog('create') },
    { id: 'settings', label: text.side.settings, run: () => openDialog('settings') },
    { id: 'free', label: text.free.action, needs: 'memory.free', run: () => openDialog('free') },
    ...(isKeptFree ? [endFree] : []),
    ...HELP_PAGES.map(page => ({
      id: `help-${page}`,
      label: text.palette.tab(text.help.title, text.help.pages[page]),
      run: () => goTo({ kind: 'help', page }),
    })),
    { id: 'managed', label: text.policy.open, run: () => openDialog('managed') },
    { id: 'doctor', label: text.overview.doctor, run: () => openDialog('doctor') },
  ];
}
