// Where the person is, which dialog is open, and the newest errors. The place is kept in the address, so that
// a reload comes back to it.
import { createStore } from 'zustand/vanilla';
import type { ErrorBody } from '../../shared/errors.ts';
import type { VmId } from '../../shared/ids.ts';
import { HELP_PAGES, type HelpPage } from '../help/pages.ts';

export const VM_TABS = ['summary', 'console', 'memory', 'history', 'settings'] as const;
export type VmTab = (typeof VM_TABS)[number];

export const ACTIVITY_TABS = ['jobs', 'memory', 'audit'] as const;
export type ActivityTab = (typeof ACTIVITY_TABS)[number];

export type Place =
  | { readonly kind: 'overview' }
  | { readonly kind: 'activity'; readonly tab: ActivityTab }
  | { readonly kind: 'help'; readonly page: HelpPage }
  | { readonly kind: 'vm'; readonly vmId: VmId; readonly tab: VmTab };

export type OpenDialog = 'create' | 'palette' | 'settings' | 'doctor' | 'free' | 'managed' | null;

export interface Navigation {
  readonly place: Place;
  readonly dialog: OpenDialog;
  /** Errors of commands, newest last; each stays until dismissed. */
  readonly errors: readonly { readonly id: number; readonly title: string; readonly body: ErrorBody }[];
}

export function parsePlace(hash: string): Place {
  const activity = ACTIVITY_TABS.find(name => hash === `#/activity/${name}`);
  if (activity !== undefined) return { kind: 'activity', tab: activity };
  const help = /^#\/help(?:\/(\w+))?$/.exec(hash);
  if (help !== null) return { kind: 'help', page: HELP_PAGES.find(name => name === help[1]) ?? 'guide' };
  const match = /^#\/vm\/([0-9a-f-]{36})\/(\w+)$/.exec(hash);
  const tab = VM_TABS.find(name => name === match?.[2]);
  if (match?.[1] === undefined || tab === undefined) return { kind: 'overview' };
  return { kind: 'vm', vmId: match[1] as VmId, tab };
}

export function placeHash(place: Place): string {
  switch (place.kind) {
    case 'vm':
      return `#/vm/${place.vmId}/${place.tab}`;
    case 'activity':
      return `#/activity/${place.tab}`;
    case 'help':
      return `#/help/${place.page}`;
    case 'overview':
      return '#/';
  }
}

export const navigationStore = createStore<Navigation>()(() => ({
  place: parsePlace(window.location.hash),
  dialog: null,
  errors: [],
}));

export function goTo(place: Place): void {
  navigationStore.setState({ place, dialog: null });
  const hash = placeHash(place);
  if (window.location.hash !== hash) window.history.pushState(null, '', hash);
}
window.addEventListener('popstate', () =>
  navigationStore.setState({ place: parsePlace(window.location.hash) }),
);

export const openDialog = (dialog: OpenDialog): void => navigationStore.setState({ dialog });

/** One more error removes the oldest: a storm of errors must not fill the window. */
const ERRORS_MAX = 4;
let nextErrorId = 1;
export function showError(title: string, body: ErrorBody): void {
  const id = nextErrorId++;
  navigationStore.setState(state => ({
    errors: [...state.errors.filter(error => error.body.what !== body.what), { id, title, body }].slice(
      -ERRORS_MAX,
    ),
  }));
}
export const dismissError = (id: number): void =>
  navigationStore.setState(state => ({ errors: state.errors.filter(error => error.id !== id) }));
