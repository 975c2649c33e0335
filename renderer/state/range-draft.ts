// The memory slider's draft: what is shown while a range is being chosen, while its command is on the way, and after.
// Pure. A slider bound straight to the server's value loses key steps while a call is in flight; here the draft
// is shown until the latest reply has come, and replies to older commands are ignored.
import { type MemoryRange, sameRange } from '../../shared/memory.ts';

export interface RangeDraft {
  /** What the service says. */
  readonly server: MemoryRange;
  /** Chosen, not sent yet. */
  readonly draft: MemoryRange | null;
  /** Sent, not answered yet. */
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

export const discard = (state: RangeDraft): RangeDraft => ({ ...state, draft: null });

/** There is something to apply. */
export const isChanged = ({ draft, pending, server }: RangeDraft): boolean =>
  draft !== null && !sameRange(draft, pending?.range ?? server);

/** One command, however many steps led there: `send` is null where nothing changed. */
export function apply(state: RangeDraft): { state: RangeDraft; send: RangeDraft['pending'] } {
  const { draft } = state;
  if (draft === null || !isChanged(state)) return { state: { ...state, draft: null }, send: null };
  const send = { seq: state.seq + 1, range: draft };
  return { state: { ...state, draft: null, pending: send, seq: send.seq }, send };
}

/** The reply is the newest truth we know: shown until the topic says otherwise. */
export function replied(state: RangeDraft, seq: number, range: MemoryRange): RangeDraft {
  if (state.pending?.seq !== seq) return state;
  return { ...state, server: range, pending: null };
}

/** What was refused stays in hand, to be mended. */
export function refused(state: RangeDraft, seq: number): RangeDraft {
  if (state.pending?.seq !== seq) return state;
  return { ...state, draft: state.draft ?? state.pending.range, pending: null };
}

/** The topic never moves a thumb under the finger: it is shown when nothing is in hand or on the way. */
export const published = (state: RangeDraft, range: MemoryRange): RangeDraft =>
  sameRange(state.server, range) ? state : { ...state, server: range };
