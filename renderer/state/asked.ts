// Verbs asked of a VM's page from elsewhere (palette, keyboard, summary), kept until the page has done them;
// and the point chosen on each timeline, which stays chosen while the person looks at another tab.
import { createStore } from 'zustand/vanilla';
import type { VmId } from '../../shared/ids.ts';
import { goTo } from './navigation.ts';

export const POINT_VERBS = [
  'go-back',
  'peek',
  'compare',
  'pin',
  'rename',
  'clone',
  'files',
  'export',
  'export-update',
  'delete',
] as const;
export type PointVerb = (typeof POINT_VERBS)[number];
export const HISTORY_VERBS = [
  'compare',
  'check',
  'compact',
  'export-update',
  'import-update',
  'schedule',
  'clean-up',
] as const;
export type HistoryVerb = PointVerb | (typeof HISTORY_VERBS)[number] | 'take';
export const VM_DIALOGS = ['force', 'reset', 'rename', 'delete'] as const;
export type VmDialogName = (typeof VM_DIALOGS)[number];
export type AskedVerb = HistoryVerb | 'grow' | `vm-${VmDialogName}`;
export const isHistoryVerb = (verb: AskedVerb): verb is HistoryVerb =>
  verb !== 'grow' && !verb.startsWith('vm-');

export interface Asked {
  readonly vmId: VmId;
  readonly verb: AskedVerb;
}

export const askedStore = createStore<{
  readonly asked: Asked | null;
  /** The chosen point of each VM; absent: Now. */
  readonly chosen: Readonly<Record<string, string>>;
}>()(() => ({ asked: null, chosen: {} }));

export function ask(vmId: VmId, verb: AskedVerb): void {
  const tab = isHistoryVerb(verb) ? 'history' : verb === 'grow' ? 'settings' : 'summary';
  goTo({ kind: 'vm', vmId, tab });
  askedStore.setState({ asked: { vmId, verb } });
}
export const answered = (): void => askedStore.setState({ asked: null });

export const choosePoint = (vmId: VmId, id: string): void =>
  askedStore.setState(({ chosen }) => ({ chosen: { ...chosen, [vmId]: id } }));
