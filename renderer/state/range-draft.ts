// The memory slider's draft: what is shown while a thumb is dragged, while its command is on the way, and after.
// Pure. A slider bound straight to the server's value loses key steps while a call is in flight; here the draft
// is shown until the latest reply has come, and replies to older commands are ignored.
import { type MemoryRange, sameRange } from '../../shared/memory.ts';

export interface RangeDraft {
  /** What the service says. */
  readonly server: MemoryRange;
  /** The range while a thumb is dragged, not sent yet. */
  readonly draft: MemoryRange | null;
  /** The range that was sent and not answered yet. */
  readonly pending: { readonly seq: number; readonly range: MemoryRange } | null;
  readonly seq: number;
}

export const startDraft = (server: MemoryRange): RangeDraft => ({
  server,
  draft: null,
  pending: null,
  seq: 0,
});

export const shownRange = (state: RangeDraft): MemoryRange =>
  state.draft ?? state.pending?.range ?? state.server;

export const dragTo = (state: RangeDraft, range: MemoryRange): RangeDraft => ({ ...state, draft: range });

export const cancelDrag = (state: RangeDraft): RangeDraft => ({ ...state, draft: null });

/** One command per release; `send` is null when nothing changed. */
export function release(state: RangeDraft): { state: RangeDraft; send: RangeDraft['pending'] } {
  const { draft } = state;
  if (draft === null || sameRange(draft, state.pending?.range ?? state.server))
    return { state: cancelDrag(state), send: null };
  const send = { seq: state.seq + 1, range: draft };
  return { state: { ...state, draft: null, pending: send, seq: send.seq }, send };
}

/** The reply is the newest known value: it is shown until the topic tells another. */
export function replied(state: RangeDraft, seq: number, range: MemoryRange): RangeDraft {
  if (state.pending?.seq !== seq) return state;
  return { ...state, server: range, pending: null };
}

export function refused(state: RangeDraft, seq: number): RangeDraft {
  return state.pending?.seq === seq ? { ...state, pending: null } : state;
}

/** The topic never moves a thumb that is dragged: its value shows once nothing is dragged or on the way. */
export const published = (state: RangeDraft, range: MemoryRange): RangeDraft =>
  sameRange(state.server, range) ? state : { ...state, server: range };
