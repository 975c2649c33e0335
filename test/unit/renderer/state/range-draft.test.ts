// The slider's draft: what is shown while dragging, sending, answered. The bug it guards against is real: a slider
// bound to the server's value loses key steps while a call is in flight.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cancelDrag,
  dragTo,
  published,
  type RangeDraft,
  refused,
  release,
  replied,
  shownRange,
  startDraft,
} from '../../../../renderer/state/range-draft.ts';

const range = (minKib: number, maxKib: number) => ({ minKib, maxKib });
const server = range(100, 400);

describe('the draft of a memory range', () => {
  it('shows the draft under the finger, whatever the topic says meanwhile', () => {
    const dragged = dragTo(startDraft(server), range(120, 400));
    expect(shownRange(published(dragged, range(90, 300)))).toEqual(range(120, 400));
  });

  it('sends one command on release, and none where nothing changed', () => {
    const first = release(dragTo(startDraft(server), range(120, 400)));
    expect(first.send).toEqual({ seq: 1, range: range(120, 400) });
    expect(release(first.state).send).toBeNull();
    expect(release(dragTo(startDraft(server), server)).send).toBeNull();
  });

  it('sends nothing again where the release asks for what is on the way already', () => {
    const first = release(dragTo(startDraft(server), range(120, 400)));
    expect(release(dragTo(first.state, range(120, 400))).send).toBeNull();
  });

  it('keeps showing the latest request until its own reply comes: older replies are ignored', () => {
    const first = release(dragTo(startDraft(server), range(120, 400)));
    const second = release(dragTo(first.state, range(140, 400)));
    const afterOld = replied(second.state, 1, range(120, 400));
    expect(shownRange(afterOld)).toEqual(range(140, 400));
    expect(shownRange(replied(afterOld, 2, range(140, 400)))).toEqual(range(140, 400));
  });

  it('does not fall back between the reply and the topic that follows it', () => {
    const sent = release(dragTo(startDraft(server), range(120, 400))).state;
    expect(shownRange(replied(sent, 1, range(120, 400)))).toEqual(range(120, 400));
  });

  it('returns to what is in force when the latest request is refused, and only then', () => {
    const first = release(dragTo(startDraft(server), range(120, 400)));
    const second = release(dragTo(first.state, range(140, 400)));
    expect(shownRange(refused(second.state, 1))).toEqual(range(140, 400));
    expect(shownRange(refused(second.state, 2))).toEqual(server);
  });

  it('gives a cancelled drag back', () => {
    expect(shownRange(cancelDrag(dragTo(startDraft(server), range(1, 2))))).toEqual(server);
  });

  it('ends at the last released range, in whatever order replies and topics come', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('release' as const), kib: fc.integer({ min: 1, max: 99 }) }),
      fc.record({ kind: fc.constant('reply' as const), pick: fc.nat(20) }),
    );
    void fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), actions => {
        let state: RangeDraft = startDraft(server);
        const waiting: { seq: number; range: { minKib: number; maxKib: number } }[] = [];
        let last = server;
        const answer = (index: number): void => {
          const [order] = waiting.splice(index, 1);
          if (order !== undefined) state = replied(state, order.seq, order.range);
        };
        for (const step of actions) {
          if (step.kind === 'reply') answer(waiting.length === 0 ? 0 : step.pick % waiting.length);
          else {
            const { state: next, send } = release(dragTo(state, range(step.kib, 400)));
            state = next;
            if (send !== null) {
              waiting.push(send);
              last = send.range;
            }
          }
          expect(shownRange(state)).toEqual(last);
        }
        while (waiting.length > 0) answer(0);
        expect(shownRange(state)).toEqual(last);
      }),
    );
  });
});
