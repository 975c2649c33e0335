// One QMP conversation: answers find their question, whatever order they come in; what never comes ends in time.
import { describe, expect, it } from 'vitest';
import { QmpSession } from '../../../../electron/control/qmp/session.ts';
import { FakeQmp } from '../../../support/fake-qemu.ts';
import { TestClock } from '../../../support/memory-world.ts';

async function open(answer: FakeQmp['answer']) {
  const [qemu, clock] = [new FakeQmp(), new TestClock()];
  const session = await QmpSession.open(qemu, clock);
  qemu.answer = answer;
  return { qemu, clock, session };
}
const silent = (): undefined => undefined;
const idOf = (qemu: FakeQmp, command: string): number =>
  qemu.asked.find(({ execute }) => execute === command)?.id ?? Number.NaN;

describe('a QMP conversation', () => {
  it('answers out of order each find their question', async () => {
    const { qemu, session } = await open(silent);
    const [first, second] = [session.execute('query-balloon'), session.execute('query-status')];
    qemu.say({ return: 'status', id: idOf(qemu, 'query-status') });
    qemu.say({ return: 'balloon', id: idOf(qemu, 'query-balloon') });
    expect(await Promise.all([first, second])).toEqual(['balloon', 'status']);
  });

  it('an answer to nobody, and one that comes twice or too late, are dropped', async () => {
    const { qemu, clock, session } = await open(silent);
    const asked = session.execute('query-balloon', undefined, 1_000).catch((cause: unknown) => cause);
    await clock.advance(1_500);
    expect(await asked).toMatchObject({ body: { code: 'vm.timeout' } });
    qemu.say({ return: 'late', id: idOf(qemu, 'query-balloon') });
    qemu.say({ return: 'to nobody', id: 999 });
    const next = session.execute('query-status');
    qemu.say({ return: 'once', id: idOf(qemu, 'query-status') });
    qemu.say({ return: 'twice', id: idOf(qemu, 'query-status') });
    expect(await next).toBe('once');
  });

  it('what is never answered ends after ten seconds, and no more than 64 wait', async () => {
    const { clock, session } = await open(silent);
    const asked = Array.from({ length: 64 }, () => session.execute('query-balloon').catch(() => 'no answer'));
    await expect(session.execute('query-balloon')).rejects.toMatchObject({ body: { code: 'vm.timeout' } });
    await clock.advance(10_000);
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['no answer']));
    const again = session.execute('query-balloon').catch(() => 'no answer');
    await clock.advance(10_000);
    expect(await again).toBe('no answer');
  });

  it("a refusal is QEMU's own words, an end ends all", async () => {
    const { qemu, session } = await open(silent);
    const refused = session.execute('balloon').catch((cause: unknown) => cause);
    qemu.say({ error: { class: 'DeviceNotActive', desc: 'No balloon device' }, id: idOf(qemu, 'balloon') });
    expect(await refused).toMatchObject({
      body: { code: 'memory.no-balloon', what: expect.stringContaining('No balloon device') },
    });
    const ended = session.execute('query-status').catch((cause: unknown) => cause);
    qemu.destroy();
    expect(await ended).toMatchObject({ body: { code: 'vm.died' } });
    await expect(session.execute('query-status')).rejects.toMatchObject({ body: { code: 'vm.died' } });
  });
});
