// The instant a running VM's points are taken at: whatever its agent does, the guest goes on afterwards.
import { describe, expect, it } from 'vitest';
import { AgentLine } from '../../../../electron/control/qga/line.ts';
import type { GuestAgent } from '../../../../electron/control/qga/session.ts';
import { atFrozen } from '../../../../electron/control/vm/barrier.ts';
import { Fault } from '../../../../shared/result.ts';
import { FakeHost } from '../../../support/fake-qemu.ts';

const NOTE = '/home/barrier.json';
const fault = (code: 'qemu.refused' | 'vm.timeout' | 'vm.died'): Fault =>
  new Fault({ code, what: 'x', safe: 'x', todo: 'x' });

/** `answer` of each command in turn; null: nobody listens. */
function barrier(answer: ((command: string, nth: number) => unknown) | null) {
  const host = new FakeHost();
  const asked: string[] = [];
  const noted: boolean[] = [];
  const agent =
    answer === null
      ? null
      : {
          isOpen: true,
          close: () => undefined,
          ask: async (command: string): Promise<unknown> => {
            asked.push(command.replace('guest-fsfreeze-', ''));
            noted.push(host.files.has(NOTE));
            const value = answer(command, asked.length);
            if (value instanceof Fault) throw value;
            return value;
          },
        };
  const line = new AgentLine(() => Promise.resolve(agent as unknown as GuestAgent));
  const input = { agent: line, folders: { home: '/home', run: '/run' }, ports: host.ports() };
  return { host, asked, noted, input };
}

describe('file systems at rest', () => {
  it('frozen, taken, thawed; noted before anything is frozen', async () => {
    const { host, asked, noted, input } = barrier(() => 2);
    const taken = await atFrozen(input, async () => {
      asked.push('take');
      return 7;
    });
    expect(taken).toEqual({ value: 7, isFrozen: true });
    expect(asked).toEqual(['freeze', 'take', 'thaw']);
    expect(noted).toEqual([true, true]);
    expect(host.files.has(NOTE)).toBe(false);
  });

  it('nobody listens, the agent refuses, has nothing to freeze, or answers nonsense: taken all the same, and said so', async () => {
    const answers = [null, () => fault('qemu.refused'), () => 0, () => ({ frozen: 'yes' })];
    for (const answer of answers) {
      const { host, input } = barrier(answer);
      expect(await atFrozen(input, async () => 7)).toEqual({ value: 7, isFrozen: false });
      expect(host.files.has(NOTE)).toBe(false);
    }
  });

  it('one that froze after it was not waited for any more is thawed as soon as it answers', async () => {
    const { host, asked, input } = barrier((_, nth) => (nth < 5 ? fault('vm.timeout') : 1));
    expect((await atFrozen(input, async () => 7)).isFrozen).toBe(false);
    expect(host.files.has(NOTE)).toBe(true);
    await host.run(10_000);
    expect(asked).toEqual(['freeze', 'thaw', 'thaw', 'thaw', 'thaw']);
    expect(host.files.has(NOTE)).toBe(false);
  });

  it('a take that fails leaves no guest frozen', async () => {
    const { host, asked, input } = barrier(() => 1);
    await expect(atFrozen(input, () => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');
    expect(asked).toEqual(['freeze', 'thaw']);
    expect(host.files.has(NOTE)).toBe(false);
  });

  it('one that cannot answer, since its owner paused it, is thawed when it goes on', async () => {
    let isPaused = true;
    const { host, asked, input } = barrier(command =>
      command.endsWith('freeze') || !isPaused ? 1 : fault('vm.timeout'),
    );
    await atFrozen(input, async () => 7);
    await host.run(600_000);
    // Not every second for all that time.
    expect(asked.length).toBeLessThan(100);
    expect(host.files.has(NOTE)).toBe(true);
    isPaused = false;
    await host.run(20_000);
    expect(host.files.has(NOTE)).toBe(false);
    const { length } = asked;
    await host.run(60_000);
    expect(asked).toHaveLength(length);
  });

  it('nothing is thawed in the middle of the next barrier, nor asked of a VM that ended', async () => {
    const { host, asked, input } = barrier(command => (command.endsWith('freeze') ? 1 : fault('vm.timeout')));
    await atFrozen(input, async () => 7);
    asked.length = 0;
    await atFrozen(input, async () => {
      await host.run(60_000);
      return 7;
    });
    expect(asked).toEqual(['freeze', 'thaw']);
    input.agent.close();
    await host.run(60_000);
    expect(asked).toEqual(['freeze', 'thaw']);
    expect(host.files.has(NOTE)).toBe(true);
  });
});
