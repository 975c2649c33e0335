import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFrame } from '../../../shared/rpc/frame.ts';
import { EchoService, helloFrame } from '../../support/echo-service.ts';
import { memoryPair } from '../../support/memory-channel.ts';

const id = fc.integer({ min: 0, max: 6 });
const method = fc.constantFrom(
  'echo',
  'refuse',
  'crash',
  'lie',
  'wait',
  'stream',
  'toString',
  '__proto__',
  '',
);
const topic = fc.constantFrom('state', 'byKey', 'events', 'constructor');
const frame = fc.oneof(
  fc.record({
    t: fc.constant('request'),
    id,
    method,
    params: fc.oneof(fc.constant({}), fc.constant({ text: 'a' }), fc.jsonValue()),
  }),
  fc.record({ t: fc.constant('cancel'), id }),
  fc.record({ t: fc.constant('subscribe'), id, topic, key: fc.constantFrom(null, 'a') }),
  fc.record({ t: fc.constant('unsubscribe'), id }),
);
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve));
};

describe('rpc server', () => {
  it('answers every request once, whatever frames come in whatever order, and cleans up', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 40 }), async frames => {
        const service = new EchoService();
        const { near, far } = memoryPair();
        const received: { t: string; id: number }[] = [];
        near.onMessage(text => received.push(JSON.parse(text)));
        service.accept(far);
        near.send(helloFrame());
        for (const each of frames) near.send(JSON.stringify(each));
        await settle();
        service.topics.publish('state', null, { n: 1, pad: '' });
        service.topics.publish('byKey', 'a', { n: 1 });
        near.close();
        await settle();
        // The connection's end aborted what waited: nothing is left running.
        expect(service.cancelled).toBe(service.waiting);
        const asked = frames.filter(each => each.t === 'request').length;
        const replies = received.filter(each => each.t === 'reply' || each.t === 'fault').length;
        const refusable = frames.filter(each => each.t === 'subscribe').length;
        const open = service.waiting;
        expect(replies).toBeGreaterThanOrEqual(asked - open);
        expect(replies).toBeLessThanOrEqual(asked + refusable);
      }),
      { numRuns: 200 },
    );
  });

  it('never throws on any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map(value => JSON.stringify(value)),
        ),
        text => {
          const parsed = parseFrame(text);
          expect(parsed === null || typeof parsed.t === 'string').toBe(true);
        },
      ),
    );
  });
});
