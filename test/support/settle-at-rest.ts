import type { Timeline } from '../../shared/timeline.ts';

/** Nothing to settle, and nothing settled yet. */
export const SETTLE_AT_REST: Timeline['settle'] = {
  state: 'rest',
  isPaused: false,
  isHeld: false,
  pendingEdges: 0,
  work: null,
  reversal: null,
  compact: { isPending: false, isPaused: false, freedBytes: 0 },
  last: null,
  reason: null,
};
