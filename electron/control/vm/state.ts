// The state machine of a VM (L1). Pure: (state, event) → state; supervisor.ts acts and feeds it.
//
//              start                   guest runs                    pause
//   off ───────────────▶ starting ───────────────▶ running ◀──────────────────▶ paused
//    ▲ ▲                    │ fails                 │  │  │      resume          │
//    │ │                    ▼                       │  │  └── suspend ─▶ suspending ─▶ suspended ── start ─▶ starting
//    │ └──────────────── failed ◀── QEMU dies ──────┘  │ stop
//    └───────────────────────────────────── stopping ◀─┘

import type { ErrorBody } from '../../../shared/errors.ts';
import { assertNever } from '../../../shared/result.ts';
import type { Coming, VmPhase, VmState } from '../../../shared/vm.ts';
import { isLive } from '../../../shared/vm-phase.ts';

export type VmEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'step'; readonly words: string }
  | { readonly kind: 'spawned'; readonly pid: number; readonly accelerator: 'kvm' | 'tcg' }
  /** `since`: when a machine that was found running was started. */
  | { readonly kind: 'running'; readonly since?: number }
  | { readonly kind: 'paused'; readonly why: string }
  /** What a running VM has yet to show; null: nothing. */
  | { readonly kind: 'coming'; readonly coming: Coming | null }
  | { readonly kind: 'guest-up' }
  | { readonly kind: 'guest-down' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'stop-refused'; readonly error: ErrorBody }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'suspend-failed'; readonly error: ErrorBody; readonly wasRunning: boolean }
  | { readonly kind: 'suspended' }
  | { readonly kind: 'failed'; readonly error: ErrorBody }
  /** QEMU is gone; `error` null: that was wanted, or the guest powered off. */
  | { readonly kind: 'ended'; readonly error: ErrorBody | null };

export const initialState = (nowMs: number, isSuspended: boolean): VmState => ({
  phase: isSuspended ? 'suspended' : 'off',
  detail: '',
  since: nowMs,
  pid: null,
  accelerator: null,
  guestUp: false,
  coming: null,
  error: null,
});

/** An event that cannot happen in a phase leaves the state as it is: QEMU's events come late and twice. */
export function nextState(state: VmState, event: VmEvent, nowMs: number): VmState {
  const go = (phase: VmPhase, change: Partial<VmState> = {}): VmState => ({
    ...state,
    phase,
    detail: '',
    coming: null,
    since: phase === state.phase ? state.since : nowMs,
    ...change,
  });
  const live = isLive(state.phase);
  switch (event.kind) {
    case 'start':
      return live ? state : go('starting', { error: null, guestUp: false });
    case 'step':
      return live ? { ...state, detail: event.words } : state;
    case 'spawned':
      return live ? { ...state, pid: event.pid, accelerator: event.accelerator } : state;
    case 'running':
      return state.phase === 'starting' || state.phase === 'paused'
        ? go('running', event.since === undefined ? {} : { since: event.since })
        : state;
    case 'paused':
      return state.phase === 'running' || state.phase === 'paused'
        ? go('paused', { detail: event.why })
        : state;
    case 'coming':
      return state.phase === 'running' && event.coming !== state.coming
        ? { ...state, coming: event.coming }
        : state;
    case 'guest-up':
      return live ? { ...state, guestUp: true, coming: null } : state;
    case 'guest-down':
      return { ...state, guestUp: false };
    case 'stop':
      return live ? go('stopping') : state;
    case 'stop-refused':
      return state.phase === 'stopping' ? go('running', { error: event.error }) : state;
    case 'suspend':
      return live ? go('suspending') : state;
    case 'suspend-failed':
      return state.phase === 'suspending'
        ? go(event.wasRunning ? 'running' : 'paused', { error: event.error })
        : state;
    case 'suspended':
      return go('suspended', { pid: null, guestUp: false });
    case 'failed':
      return go('failed', {
        pid: null,
        guestUp: false,
        error: event.error,
        detail: event.error.what.slice(0, 300),
      });
    case 'ended':
      return event.error === null
        ? go('off', { pid: null, guestUp: false })
        : go('failed', {
            pid: null,
            guestUp: false,
            error: event.error,
            detail: event.error.what.slice(0, 300),
          });
    default:
      return assertNever(event);
  }
}
