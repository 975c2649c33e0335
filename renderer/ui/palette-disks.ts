// The palette's verbs on disks and histories: of every VM, and of the point chosen on the current page.
import { useStore } from 'zustand';
import type { VmId } from '../../shared/ids.ts';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import { isKept } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import type { Dictionary } from '../i18n/en.ts';
import { useSpeech } from '../i18n/text.ts';
import type { Needs } from '../policy/role.ts';
import { type AskedVerb, ask, askedStore, POINT_VERBS } from '../state/asked.ts';
import { goTo, navigationStore } from '../state/navigation.ts';
import { lossOf } from '../view/faults.ts';
import { momentOf, pointName } from '../view/points.ts';
import { useService, useVms } from './hooks.ts';
import type { Entry } from './Palette.tsx';

function pointWords(text: Dictionary, moment: Moment) {
  const { history } = text;
  return {
    'go-back': history.goBack,
    peek: text.peek.verb,
    compare: text.compare.verb,
    pin: moment.pinned ? history.unpin : history.pin,
    rename: history.rename,
    clone: history.clone,
    files: text.files.verb,
    export: history.export,
    'export-update': text.historyMenu.exportUpdate,
    delete: history.delete,
  } satisfies Record<(typeof POINT_VERBS)[number], string>;
}

const POINT_NEEDS = {
  'go-back': 'moment.go-back',
  peek: 'moment.peek',
  compare: 'moment.compare',
  pin: 'moment.update',
  rename: 'moment.update',
  clone: 'vm.clone',
  files: 'moment.files',
  export: 'moment.export',
  'export-update': 'moment.export-delta',
  delete: 'moment.delete',
} as const satisfies Record<(typeof POINT_VERBS)[number], Needs>;

/** Verbs on the chosen point of the VM on screen; none when no point is chosen. */
function useChosenPoint(): readonly Entry[] {
  const { text } = useSpeech();
  const place = useStore(navigationStore, state => state.place);
  const chosen = useStore(askedStore, state => state.chosen);
  const timelines = useService(state => state.timelines);
  if (place.kind !== 'vm') return [];
  const timeline = timelines[place.vmId];
  const moment = timeline === undefined ? null : momentOf(timeline, chosen[place.vmId] ?? null);
  if (moment === null) return [];
  const words = pointWords(text, moment);
  return POINT_VERBS.filter(verb => verb !== 'delete' || moment.keptBecause === null).map(verb => ({
    id: `point${verb}`,
    label: text.palette.tab(`“${pointName(moment, text)}”`, words[verb]),
    needs: POINT_NEEDS[verb],
    run: () => ask(place.vmId, verb),
  }));
}

/** Verbs that pause settling or let it go on, from anywhere. */
function settleEntries(
  vmId: VmId,
  name: string,
  settle: Timeline['settle'] | undefined,
  text: Dictionary,
): Entry[] {
  if (settle === undefined || (settle.state === 'rest' && !settle.isPaused)) return [];
  const isWaiting = settle.isPaused || settle.state === 'paused';
  const to = isWaiting ? 'run' : 'pause';
  const verb = isWaiting ? text.history.settleRun : text.history.settlePause;
  const label = text.palette.tab(name, verb);
  return [
    {
      id: `${vmId}settle`,
      label,
      needs: 'settle.set',
      run: () => void attempt(label, () => call('settle.set', { vmId, to })),
    },
  ];
}

export function useDiskEntries(): readonly Entry[] {
  const { text } = useSpeech();
  const vms = useVms();
  const points = useChosenPoint();
  const timelines = useService(state => state.timelines);
  const errors = useService(state => state.timelineErrors);
  const words = text.historyMenu;
  const ofVms = vms
    .filter(({ spec }) => isKept(spec))
    .flatMap(({ spec: { id, name } }) => {
      const entry = (verb: AskedVerb, label: string, needs: Needs): Entry => ({
        id: `${id}${verb}`,
        label: text.palette.tab(name, label),
        needs,
        run: () => ask(id, verb),
      });
      const error = errors[id];
      if (error !== undefined && lossOf(error) !== null)
        return [
          {
            id: `${id}rescue`,
            label: text.palette.tab(name, text.lost.verb),
            run: () => goTo({ kind: 'vm', vmId: id, tab: 'history' }),
          },
        ];
      const hasPoints = (timelines[id]?.moments.length ?? 0) > 0;
      return [
        entry('take', text.history.take, 'moment.take'),
        ...(hasPoints ? [entry('compare', words.compare, 'moment.compare')] : []),
        entry('check', words.check, 'vm.verify-report'),
        entry('compact', words.compact, 'vm.compact'),
        ...settleEntries(id, name, timelines[id]?.settle, text),
        entry('schedule', text.automatic.title, 'history.set'),
        ...(hasPoints ? [entry('clean-up', text.automatic.cleanUp, 'history.clean')] : []),
        ...(hasPoints ? [entry('export-update', words.exportUpdate, 'moment.export-delta')] : []),
        ...(hasPoints ? [entry('import-update', words.importUpdate, 'moment.import-delta')] : []),
        entry('grow', text.disks.growAny, 'disk.grow'),
      ];
    });
  return [...points, ...ofVms];
}
